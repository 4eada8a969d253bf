//! Heartbeats: every second each worker reports to Redis that it is alive, and the state of its lanes (a lane is the
//! queue before one gateway). A worker counts as alive for five seconds after its last heartbeat.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::{AsyncCommands, Script};
use serde::{Deserialize, Serialize};

use crate::queue::{Queue, QueueError};

/// How often a worker sends a heartbeat.
pub const EVERY: Duration = Duration::from_secs(1);

/// The content of one heartbeat: the state of each lane of a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    pub lanes: Vec<LaneHeartbeat>,
}

/// The state of one lane of a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaneHeartbeat {
    pub lane: String,
    /// The state of the gateway's circuit breaker: `closed`, `open` or `half_open`.
    pub breaker: String,
    /// How many attempts the worker can make at the same time.
    pub slots: usize,
    /// How many attempts the worker is making.
    pub busy: usize,
    /// The rate of attempts that ended since the last heartbeat, per second.
    pub per_second: f64,
}

/// Script that stores a worker's heartbeat together with the current time of Redis's clock.
const SEND: &str = r"
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], time[1] .. ' ' .. ARGV[2])
return redis.call('EXPIRE', KEYS[1], 60)";

/// Script that returns the recent heartbeats, and removes the older ones, because their workers have died.
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
        let key = self.workers_key();
        let _: i64 = Script::new(SEND).key(&key).arg(worker).arg(text).invoke_async(&mut self.route_to(&key)).await?;
        Ok(())
    }

    /// Removes the heartbeat of a worker that stops. If this fails, the heartbeat expires by itself.
    pub async fn end_heartbeat(&self, worker: &str) -> Result<(), QueueError> {
        let key = self.workers_key();
        Ok(self.route_to(&key).hdel(&key, worker).await?)
    }

    /// Returns the last heartbeat of every worker that is alive, by the worker's name.
    pub async fn live_workers(&self) -> Result<BTreeMap<String, Heartbeat>, QueueError> {
        let key = self.workers_key();
        let heartbeats: BTreeMap<String, String> =
            Script::new(READ).key(&key).arg(ALIVE_FOR).invoke_async(&mut self.route_to(&key)).await?;
        // A worker of another release can write another format. Such a worker counts as alive and is returned without
        // lanes.
        let read = |text: String| serde_json::from_str(&text).unwrap_or(Heartbeat { lanes: Vec::new() });
        Ok(heartbeats.into_iter().map(|(worker, text)| (worker, read(text))).collect())
    }

    fn workers_key(&self) -> String {
        format!("{}workers", self.prefix)
    }
}
