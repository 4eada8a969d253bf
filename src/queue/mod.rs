//! Redis: the bell, the spreader and the brake. Nothing here is needed to be right, only to be quick: Redis may be
//! flushed, restarted or lost at any moment, and the sweeper rebuilds what was in it.
//!
//! It may be one server, a set that sentinels watch, or a cluster ([`connection::address`]). Whatever it is, a command asks for the
//! way to its key ([`Queue::way_to`]) and is brought there; keys that are asked for together are at one place.

pub mod connection;
pub mod heartbeat;
pub mod limiter;
pub mod live;
pub mod quota;
pub mod streams;
pub mod survey;

use std::time::Duration;

use crate::domain::work::job::Lane;
use crate::queue::connection::address::Address;
use crate::queue::connection::{Lines, Way};

/// Why Redis did not do as asked. Every reason means the same: go on without it, and try again later.
#[derive(Debug, thiserror::Error)]
#[error("Redis is unavailable: {0}")]
pub struct QueueError(#[from] redis::RedisError);

/// Where Redis is, and under which prefix this installation's keys live.
#[derive(Clone)]
pub struct Queue {
    lines: Lines,
    prefix: String,
}

/// How long any command but a blocking read may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

impl Queue {
    /// Prepares connections that are made when they are first used, and remade whenever they break or fall silent.
    ///
    /// # Errors
    /// When a server's place is none.
    pub fn new(address: &Address, prefix: &str) -> Result<Self, QueueError> {
        Ok(Self { lines: Lines::new(address)?, prefix: prefix.to_owned() })
    }

    /// Asks whether Redis answers: all of it, if it is a cluster.
    pub async fn ping(&self) -> Result<(), QueueError> {
        Ok(self.lines.ping().await?)
    }

    /// The way to a key.
    fn way_to(&self, key: &str) -> Way<'_> {
        self.lines.way_to(self.lines.shard(key))
    }

    /// The key of a thing of a lane. The braces keep a lane's keys on one node of a cluster.
    fn lane_key(&self, lane: &Lane, thing: &str) -> String {
        format!("{}{{{lane}}}:{thing}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;

    /// With none or two of the libraries that know its ciphers linked in, TLS would panic when it is first used.
    #[tokio::test]
    async fn tls_is_spoken_where_it_is_asked_for() {
        const CLIENT_HELLO: [u8; 2] = [22, 3];
        for (before, after) in [("rediss://", ""), ("rediss+sentinel://", "/songda"), ("rediss+cluster://", "")] {
            let server = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            let address = format!("{before}{}{after}", server.local_addr().unwrap());
            let queue = Queue::new(&address.parse().unwrap(), "").unwrap();
            let listen = async {
                let (mut client, _) = server.accept().await.unwrap();
                let mut said = [0; 2];
                client.read_exact(&mut said).await.unwrap();
                said
            };
            let (answer, said) = tokio::join!(queue.ping(), listen);
            assert_eq!(said, CLIENT_HELLO, "{address}");
            assert!(answer.is_err(), "nobody answered");
        }
    }
}
