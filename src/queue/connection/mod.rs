//! Connections to Redis: one to a single server, one to the primary that sentinels name, or one to each node of a
//! cluster. A `KeyRoute` selects the connection for a key.

pub mod address;
pub(super) mod cluster;
pub(super) mod endpoint;
pub(super) mod error_class;
pub(super) mod hash_slot;
pub mod node;
pub(super) mod single;
pub(super) mod slots;
pub(super) mod time_out;

use std::slice;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection, PubSub};
use redis::{Cmd, Pipeline, RedisError, RedisFuture, RedisResult, Value};

use crate::queue::connection::address::{Deployment, RedisAddress};
use crate::queue::connection::cluster::Cluster;
use crate::queue::connection::endpoint::Endpoint;
use crate::queue::connection::error_class::ErrorClass;
use crate::queue::connection::single::SharedConnection;

/// Cloning shares the connections.
#[derive(Clone)]
pub(super) enum RedisConnections {
    /// All keys are on one server.
    One(SharedConnection),
    /// Each key is on the node that holds its slot.
    Cluster(Cluster),
}

impl RedisConnections {
    pub(super) fn new(address: &RedisAddress) -> RedisResult<Self> {
        Ok(match &address.0 {
            Deployment::Server(server) => Self::One(SharedConnection::new(Endpoint::to(server.clone())?)),
            Deployment::Sentinels(set) => Self::One(SharedConnection::new(Endpoint::Primary(Arc::new(set.clone())))),
            Deployment::Cluster(seeds) => Self::Cluster(Cluster::new(seeds.clone())),
        })
    }

    /// Returns the shard of a key: its hash slot in a cluster, otherwise 0. All keys of one pipeline must be in the
    /// same shard.
    pub(super) fn shard(&self, key: &str) -> u16 {
        match self {
            Self::One(_) => 0,
            Self::Cluster(_) => hash_slot::of(key),
        }
    }

    /// Checks that Redis answers. In a cluster, a node must answer for every hash slot.
    pub(super) async fn ping(&self) -> RedisResult<()> {
        match self {
            Self::One(connection) => redis::cmd("PING").query_async(&mut connection.clone()).await,
            Self::Cluster(cluster) => cluster.ping().await,
        }
    }

    pub(super) const fn route_to(&self, shard: u16) -> KeyRoute<'_> {
        KeyRoute { connections: self, shard }
    }
}

/// The route to the keys of one shard: one hash slot of a cluster, or all keys if Redis is no cluster. Commands over it
/// use the shared connection to the right server.
pub(super) struct KeyRoute<'a> {
    connections: &'a RedisConnections,
    shard: u16,
}

impl KeyRoute<'_> {
    /// Opens a connection that the caller does not share. A blocking read needs one, because on a shared connection all
    /// other commands would wait for the read.
    pub(super) async fn connect(&self, answer_within: Duration) -> RedisResult<MultiplexedConnection> {
        let connected = self.shared().await?.endpoint().connect(answer_within).await;
        self.record_outcome(&connected);
        connected
    }

    /// Opens a connection that is subscribed to a channel.
    pub(super) async fn listen(&self, channel: &str) -> RedisResult<PubSub> {
        let listening = self.shared().await?.endpoint().listen(channel).await;
        self.record_outcome(&listening);
        listening
    }

    async fn shared(&self) -> RedisResult<SharedConnection> {
        match self.connections {
            RedisConnections::One(connection) => Ok(connection.clone()),
            RedisConnections::Cluster(cluster) => cluster.connection(self.shard).await,
        }
    }

    /// Records the outcome of a command over a connection that [`KeyRoute::connect`] opened. If the outcome is a
    /// redirect, a time-out or a broken connection, the client of a cluster then reads its map again.
    pub(super) fn record_outcome<T>(&self, outcome: &RedisResult<T>) {
        self.record(outcome.as_ref().map(|_| [].as_slice()));
    }

    fn record(&self, answer: Result<&[Value], &RedisError>) {
        if let RedisConnections::Cluster(cluster) = self.connections {
            cluster.record(ErrorClass::of(answer));
        }
    }
}

impl ConnectionLike for KeyRoute<'_> {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let answer = self.shared().await?.req_packed_command(command).await;
            self.record(answer.as_ref().map(slice::from_ref));
            answer
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let answers = self.shared().await?.req_packed_commands(commands, offset, count).await;
            self.record(answers.as_deref());
            answers
        })
    }

    /// Always 0, because no command that is used here depends on the database number.
    fn get_db(&self) -> i64 {
        0
    }
}
