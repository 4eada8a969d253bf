//! Quotas of callers, counted for all processes together. What is kept is one instant a caller: when its bucket is full
//! again (the generic cell rate algorithm), by Redis's own clock, and only until then.

use std::time::Duration;

use redis::Script;

use super::{Queue, QueueError};

/// What came of a request that wanted to be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// Whether it fitted into the window, and was counted.
    pub allowed: bool,
    /// How long from now until nothing counts any more.
    pub full_in: Duration,
}

/// Counts one request, if it fits. All times are microseconds, which a script's numbers hold exactly.
const SPEND: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local each, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local full_at = tonumber(redis.call('GET', KEYS[1])) or now
local missing = math.max(0, full_at - now)
if missing + each > math.max(window, each) then return {0, missing} end
missing = missing + each
redis.call('SET', KEYS[1], string.format('%.0f', now + missing), 'PX', math.ceil(missing / 1000))
return {1, missing}";

impl Queue {
    /// Counts one request of a caller against a quota: each takes `each` of the time until its bucket is full again, and
    /// that may not be longer than `window`. `quota` and `caller` name the bucket.
    ///
    /// # Errors
    /// When Redis is unavailable.
    pub async fn spend(
        &self,
        quota: &str,
        caller: &str,
        each: Duration,
        window: Duration,
    ) -> Result<Spent, QueueError> {
        let script = Script::new(SPEND);
        let key = format!("{}quota:{quota}:{caller}", self.prefix);
        let mut call = script.key(&key);
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).max(1);
        call.arg(micros(each)).arg(micros(window));
        let (allowed, missing): (bool, u64) = call.invoke_async(&mut self.way_to(&key)).await?;
        Ok(Spent { allowed, full_in: Duration::from_micros(missing) })
    }
}
