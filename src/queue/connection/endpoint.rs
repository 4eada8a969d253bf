//! The Redis server to connect to: a fixed server, or the current primary that sentinels name. Connecting has a
//! time-out.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::{MultiplexedConnection, PubSub};
use redis::sentinel::{Sentinel, SentinelNodeConnectionInfo};
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, RedisResult, TlsMode};

use crate::queue::connection::address::Sentinels;
use crate::queue::connection::node::{Access, Node};
use crate::queue::connection::time_out::{ANSWER_WITHIN, in_time};

#[derive(Clone)]
pub enum Endpoint {
    Server(Arc<Client>),
    /// The primary that the sentinels name. Each new connection asks the sentinels first, so it goes to the new primary
    /// after a fail-over.
    Primary(Arc<Sentinels>),
}

impl Endpoint {
    pub fn to(server: ConnectionInfo) -> RedisResult<Self> {
        Ok(Self::Server(Arc::new(Client::open(server)?)))
    }

    pub fn at(node: &Node, access: &Access) -> RedisResult<Self> {
        Self::to(access.to(node)?)
    }

    /// Opens a connection whose commands time out after `answer_within`.
    pub async fn connect(&self, answer_within: Duration) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER_WITHIN))
            .set_response_timeout(Some(answer_within));
        let client = self.client().await?;
        in_time(client.get_multiplexed_async_connection_with_config(&config)).await
    }

    /// Opens a connection that is subscribed to a channel.
    pub async fn listen(&self, channel: &str) -> RedisResult<PubSub> {
        let client = self.client().await?;
        in_time(async {
            let mut subscriber = client.get_async_pubsub().await?;
            subscriber.subscribe(channel).await?;
            Ok(subscriber)
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
    /// Asks the sentinels for the primary. The named server must confirm that it is the primary.
    async fn primary(&self) -> RedisResult<Client> {
        let sentinels = self.sentinels.iter().map(|sentinel| self.own_access.to(sentinel));
        let access = SentinelNodeConnectionInfo::default().set_redis_connection_info(self.access.settings.clone());
        let access = if self.access.is_encrypted { access.set_tls_mode(TlsMode::Secure) } else { access };
        let mut sentinels = Sentinel::build(sentinels.collect::<RedisResult<Vec<_>>>()?)?;
        sentinels.async_master_for(&self.name, Some(&access)).await
    }
}
