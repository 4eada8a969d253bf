//! Redis: the bell, the spreader and the brake. Nothing here is needed to be right, only to be quick: Redis may be
//! flushed, restarted or lost at any moment, and the sweeper rebuilds what was in it.

pub mod brake;
pub mod condition;
mod line;
pub mod live;
pub mod quota;
pub mod roll;
pub mod streams;

use std::time::Duration;

use self::line::Line;

/// Why Redis did not do as asked. Every reason means the same: go on without it, and try again later.
#[derive(Debug, thiserror::Error)]
#[error("Redis is unavailable: {0}")]
pub struct QueueError(#[from] redis::RedisError);

/// Where Redis is, and under which prefix this installation's keys live.
#[derive(Clone)]
pub struct Queue {
    client: redis::Client,
    line: Line,
    prefix: String,
}

/// How long any command but a blocking read may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

impl Queue {
    /// Prepares a connection that is made when it is first used, and remade whenever it breaks or falls silent.
    ///
    /// # Errors
    /// When `url` is no Redis address.
    pub fn new(url: &str, prefix: &str) -> Result<Self, QueueError> {
        let client = redis::Client::open(url)?;
        Ok(Self { line: Line::new(client.clone())?, client, prefix: prefix.to_owned() })
    }

    /// Asks whether Redis answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), QueueError> {
        Ok(redis::cmd("PING").query_async(&mut self.connection()).await?)
    }

    fn connection(&self) -> Line {
        self.line.clone()
    }

    /// The key of a thing of a lane. The braces keep a lane's keys on one node of a cluster.
    fn lane_key(&self, lane: &crate::domain::job::Lane, thing: &str) -> String {
        format!("{}{{{lane}}}:{thing}", self.prefix)
    }
}
