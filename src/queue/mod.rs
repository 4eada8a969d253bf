//! Songda's use of Redis: it wakes workers when there are jobs (the *bell*), spreads the jobs over the workers, and
//! limits rates. All durable data is in PostgreSQL; Redis only makes Songda fast. Redis can be flushed, restarted or
//! lost at any moment. The *sweeper*, a background task, then puts the unfinished jobs into Redis again.
//!
//! Redis is a single server, a set that sentinels watch, or a cluster ([`connection::address`]). [`Queue::route_to`]
//! finds the server for the key of a command. All keys of one command are on one node.

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

/// Redis failed. For every cause the caller does the same: it goes on without Redis, and tries again later.
#[derive(Debug, thiserror::Error)]
#[error("Redis is unavailable: {0}")]
pub struct QueueError(#[from] redis::RedisError);

/// A Redis client that puts the prefix of this installation before every key. Cloning shares the connections.
#[derive(Clone)]
pub struct Queue {
    connections: RedisConnections,
    prefix: String,
}

impl Queue {
    /// Creates a client without connecting. A connection opens on first use, and is replaced if it breaks or gets no
    /// answers any more.
    ///
    /// # Errors
    /// If the address of a server is invalid.
    pub fn new(address: &RedisAddress, prefix: &str) -> Result<Self, QueueError> {
        Ok(Self { connections: RedisConnections::new(address)?, prefix: prefix.to_owned() })
    }

    /// Checks that Redis answers. In a cluster, a node must answer for every hash slot.
    pub async fn ping(&self) -> Result<(), QueueError> {
        Ok(self.connections.ping().await?)
    }

    fn route_to(&self, key: &str) -> KeyRoute<'_> {
        self.connections.route_to(self.connections.shard(key))
    }

    /// Formats the name of a Redis key that belongs to a lane. The braces (a hash tag) keep all keys of a lane on one
    /// node of a cluster.
    fn lane_key(&self, lane: &Lane, name: &str) -> String {
        format!("{}{{{lane}}}:{name}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;

    /// Also checks the build: rustls panics on first use if the program contains no crypto library for it, or two of
    /// them.
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
