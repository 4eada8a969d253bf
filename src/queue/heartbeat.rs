//! The roll of workers: each says every moment that it is there and how its lanes are. Whoever looks sees those of the
//! last few seconds. It is for people's eyes; nothing is decided by it.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::{AsyncCommands, Script};
use serde::{Deserialize, Serialize};

use crate::queue::{Queue, QueueError};

/// How often a worker answers the roll.
pub const EVERY: Duration = Duration::from_secs(1);

/// What a worker says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Present {
    pub lanes: Vec<LanePresent>,
}

/// What a worker says of one of its lanes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LanePresent {
    /// The lane's name.
    pub lane: String,
    /// `closed`, `open` or `half_open`.
    pub breaker: String,
    /// How many attempts it can make at once.
    pub slots: usize,
    /// How many it is making.
    pub busy: usize,
    /// How many it ended in a second, lately.
    pub per_second: f64,
}

/// Notes a worker's answer beside the time, by Redis's own clock.
const ANSWER: &str = r"
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], time[1] .. ' ' .. ARGV[2])
return redis.call('EXPIRE', KEYS[1], 60)";

/// Answers of the last seconds. Older ones are of workers that died, and forgotten.
const CALL: &str = r"
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

/// How many seconds an answer counts.
const COUNTS_FOR: u64 = 5;

impl Queue {
    /// Answers the roll for a worker.
    pub async fn answer_roll(&self, worker: &str, present: &Present) -> Result<(), QueueError> {
        let text = serde_json::to_string(present).unwrap_or_default();
        let (script, key) = (Script::new(ANSWER), self.roll());
        let _: i64 = script.key(&key).arg(worker).arg(text).invoke_async(&mut self.way_to(&key)).await?;
        Ok(())
    }

    /// Strikes a worker off that stops.
    ///
    /// # Errors
    /// When Redis is unavailable; then it is forgotten soon.
    pub async fn leave_roll(&self, worker: &str) -> Result<(), QueueError> {
        let key = self.roll();
        Ok(self.way_to(&key).hdel(&key, worker).await?)
    }

    /// Calls the roll: the workers that are there, by name.
    pub async fn call_roll(&self) -> Result<BTreeMap<String, Present>, QueueError> {
        let (script, key) = (Script::new(CALL), self.roll());
        let answers: BTreeMap<String, String> =
            script.key(&key).arg(COUNTS_FOR).invoke_async(&mut self.way_to(&key)).await?;
        // A worker of another version may say something else; that it is there is certain.
        let read = |text: String| serde_json::from_str(&text).unwrap_or(Present { lanes: Vec::new() });
        Ok(answers.into_iter().map(|(worker, text)| (worker, read(text))).collect())
    }

    fn roll(&self) -> String {
        format!("{}workers", self.prefix)
    }
}
