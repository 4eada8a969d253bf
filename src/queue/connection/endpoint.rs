//! Where a line leads: to a server, or to whichever one is the primary at the moment. Every way there ends in time.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::{MultiplexedConnection, PubSub};
use redis::sentinel::{Sentinel, SentinelNodeConnectionInfo};
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, RedisResult, TlsMode};

use crate::queue::ANSWER_WITHIN;
use crate::queue::connection::address::Sentinels;
use crate::queue::connection::node::{Access, Node};

/// Where a line leads.
#[derive(Clone)]
pub(in crate::queue) enum Place {
    /// To a server.
    Server(Arc<Client>),
    /// To the primary that sentinels name. It is asked for anew whenever a connection is made, so a fail-over is followed.
    Primary(Arc<Sentinels>),
}

impl Place {
    /// To a server.
    pub(in crate::queue) fn to(server: ConnectionInfo) -> RedisResult<Self> {
        Ok(Self::Server(Arc::new(Client::open(server)?)))
    }

    /// To this one of several servers.
    pub(in crate::queue) fn at(node: &Node, access: &Access) -> RedisResult<Self> {
        Self::to(access.to(node)?)
    }

    /// Makes a connection, which is given up on when something takes longer than this to be answered.
    pub(in crate::queue) async fn connect(&self, answer_within: Duration) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER_WITHIN))
            .set_response_timeout(Some(answer_within));
        let client = self.client().await?;
        in_time(client.get_multiplexed_async_connection_with_config(&config)).await
    }

    /// Makes a connection that hears what is published on a channel.
    pub(in crate::queue) async fn listen(&self, channel: &str) -> RedisResult<PubSub> {
        let client = self.client().await?;
        in_time(async {
            let mut heard = client.get_async_pubsub().await?;
            heard.subscribe(channel).await?;
            Ok(heard)
        })
        .await
    }

    async fn client(&self) -> RedisResult<Arc<Client>> {
        match self {
            Self::Server(client) => Ok(Arc::clone(client)),
            Self::Primary(sentinels) => in_time(sentinels.primary()).await.map(Arc::new),
        }
    }
}

impl Sentinels {
    /// The server that a sentinel calls the primary, and that calls itself so.
    async fn primary(&self) -> RedisResult<Client> {
        let sentinels = self.sentinels.iter().map(|sentinel| self.own_access.to(sentinel));
        let access = SentinelNodeConnectionInfo::default().set_redis_connection_info(self.access.settings.clone());
        let access = if self.access.is_encrypted { access.set_tls_mode(TlsMode::Secure) } else { access };
        let mut sentinels = Sentinel::build(sentinels.collect::<RedisResult<Vec<_>>>()?)?;
        sentinels.async_master_for(&self.name, Some(&access)).await
    }
}

/// What comes of it, unless it takes too long.
pub(in crate::queue) async fn in_time<T>(answer: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let late = |_| Err(io::Error::from(io::ErrorKind::TimedOut).into());
    tokio::time::timeout(ANSWER_WITHIN, answer).await.unwrap_or_else(late)
}
