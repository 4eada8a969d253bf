//! Redis: the bell, the spreader and the rate limiter. Nothing in it is needed to be correct, only to be quick. Redis
//! may be flushed, restarted or lost at any moment, and the sweeper rebuilds its content.
//!
//! It may be a single server, a set that sentinels watch, or a cluster ([`connection::address`]). In each case a
//! command takes the route to its key ([`Queue::route_to`]), and keys that share a command are on one node.

pub mod connection;
pub mod heartbeat;
pub mod limiter;
pub mod live;
pub mod reservation;
pub mod streams;
pub mod survey;

use crate::domain::work::job::Lane;
use crate::queue::connection::address::RedisAddress;
use crate::queue::connection::{KeyRoute, RedisConnections};

/// Redis failed. Every reason means the same to the caller: go on without Redis, and try again later.
#[derive(Debug, thiserror::Error)]
#[error("Redis is unavailable: {0}")]
pub struct QueueError(#[from] redis::RedisError);

/// Redis, and the prefix of this installation's keys. Cloning shares the connections.
#[derive(Clone)]
pub struct Queue {
    connections: RedisConnections,
    prefix: String,
}

impl Queue {
    /// Opens no connection yet. Connections open on first use, and are replaced if they break or fall silent.
    ///
    /// # Errors
    /// The address of a server is invalid.
    pub fn new(address: &RedisAddress, prefix: &str) -> Result<Self, QueueError> {
        Ok(Self { connections: RedisConnections::new(address)?, prefix: prefix.to_owned() })
    }

    /// Checks that Redis answers; of a cluster, that every slot has a node that answers.
    pub async fn ping(&self) -> Result<(), QueueError> {
        Ok(self.connections.ping().await?)
    }

    fn route_to(&self, key: &str) -> KeyRoute<'_> {
        self.connections.route_to(self.connections.shard(key))
    }

    /// A key that belongs to a lane. The braces keep all keys of a lane on one node of a cluster.
    fn lane_key(&self, lane: &Lane, name: &str) -> String {
        format!("{}{{{lane}}}:{name}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;

    /// TLS would panic on first use if none or two of the libraries that provide its ciphers were linked in.
    #[tokio::test]
    async fn the_scheme_rediss_means_tls() {
        const CLIENT_HELLO: [u8; 2] = [22, 3];
        for (before, after) in [("rediss://", ""), ("rediss+sentinel://", "/songda"), ("rediss+cluster://", "")] {
            let server = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            let address = format!("{before}{}{after}", server.local_addr().unwrap());
            let queue = Queue::new(&address.parse().unwrap(), "").unwrap();
            let listen = async {
                let (mut client, _) = server.accept().await.unwrap();
                let mut received = [0; 2];
                client.read_exact(&mut received).await.unwrap();
                received
            };
            let (answer, received) = tokio::join!(queue.ping(), listen);
            assert_eq!(received, CLIENT_HELLO, "{address}");
            assert!(answer.is_err(), "the server never answers");
        }
    }
}
