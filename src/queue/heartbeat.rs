//! Heartbeats: every second each worker says that it is alive, and how its lanes are. Readers see the workers of the
//! last few seconds.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::{AsyncCommands, Script};
use serde::{Deserialize, Serialize};

use crate::queue::{Queue, QueueError};

/// How often a worker sends a heartbeat.
pub const EVERY: Duration = Duration::from_secs(1);

/// A worker's report of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    pub lanes: Vec<LaneHeartbeat>,
}

/// A worker's report of one of its lanes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaneHeartbeat {
    /// The lane's name.
    pub lane: String,
    /// `closed`, `open` or `half_open`.
    pub breaker: String,
    /// How many attempts it can make at once.
    pub slots: usize,
    /// How many attempts it is making.
    pub busy: usize,
    /// Attempts that ended per second, since the last heartbeat.
    pub per_second: f64,
}

/// Stores a worker's heartbeat with the time, by Redis's own clock.
const SEND: &str = r"
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], time[1] .. ' ' .. ARGV[2])
return redis.call('EXPIRE', KEYS[1], 60)";

/// Returns recent heartbeats. Older ones are of workers that died, and are removed.
const READ: &str = r"
local now, all, fresh = redis.call('TIME')[1], redis.call('HGETALL', KEYS[1]), {}
for i = 1, #all, 2 do
  local space = string.find(all[i + 1], ' ', 1, true)
  if tonumber(string.sub(all[i + 1], 1, space - 1)) + tonumber(ARGV[1]) < tonumber(now) then
    redis.call('HDEL', KEYS[1], all[i])
  else
    fresh[#fresh + 1] = all[i]
    fresh[#fresh + 1] = string.sub(all[i + 1], space + 1)
  end
end
return fresh";

/// How many seconds a worker counts as alive after its last heartbeat.
const ALIVE_FOR: u64 = 5;

impl Queue {
    pub async fn send_heartbeat(&self, worker: &str, heartbeat: &Heartbeat) -> Result<(), QueueError> {
        let text = serde_json::to_string(heartbeat).unwrap_or_default();
        let script = Script::new(SEND);
        let key = self.workers_key();
        let _: i64 = script.key(&key).arg(worker).arg(text).invoke_async(&mut self.route_to(&key)).await?;
        Ok(())
    }

    /// Removes the heartbeat of a worker that stops.
    ///
    /// # Errors
    /// Redis is unavailable. The heartbeat then expires by itself.
    pub async fn end_heartbeat(&self, worker: &str) -> Result<(), QueueError> {
        let key = self.workers_key();
        Ok(self.route_to(&key).hdel(&key, worker).await?)
    }

    /// The last heartbeat of every worker that is alive, by the worker's name.
    pub async fn live_workers(&self) -> Result<BTreeMap<String, Heartbeat>, QueueError> {
        let script = Script::new(READ);
        let key = self.workers_key();
        let heartbeats: BTreeMap<String, String> =
            script.key(&key).arg(ALIVE_FOR).invoke_async(&mut self.route_to(&key)).await?;
        // A worker of another version may write another format. It is alive all the same.
        let read = |text: String| serde_json::from_str(&text).unwrap_or(Heartbeat { lanes: Vec::new() });
        Ok(heartbeats.into_iter().map(|(worker, text)| (worker, read(text))).collect())
    }

    fn workers_key(&self) -> String {
        format!("{}workers", self.prefix)
    }
}
