//! Quotas of callers, counted for all processes together. What is kept is one instant a caller: when its bucket is full
//! again (the generic cell rate algorithm), by Redis's own clock, and only until then.

use std::sync::LazyLock;
use std::time::Duration;

use redis::Script;

use super::{Queue, QueueError};

/// A caller's bucket.
#[derive(Debug, Clone, Copy)]
pub struct Quota<'a> {
    /// Of which kind.
    pub name: &'a str,
    pub caller: &'a str,
    /// How much of the time until the bucket is full again one request takes.
    pub each: Duration,
    /// How long that time may be at the most.
    pub window: Duration,
}

/// What came of a request that wanted to be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// Whether it fitted into the window, and was counted.
    pub allowed: bool,
    /// How long from now until nothing counts any more.
    pub full_in: Duration,
}

/// Counts what was spent, whether it fits or not, and then one more, if that is wanted and fits. All times are
/// microseconds, which a script's numbers hold exactly.
static COUNT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local each, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local spent, wanted = tonumber(ARGV[3]), tonumber(ARGV[4])
local full_at = tonumber(redis.call('GET', KEYS[1])) or now
local missing = math.max(0, full_at - now) + spent * each
local allowed = wanted == 1 and missing + each <= math.max(window, each)
if allowed then missing = missing + each end
if allowed or spent > 0 then
    redis.call('SET', KEYS[1], string.format('%.0f', now + missing), 'PX', math.ceil(missing / 1000))
end
return {allowed and 1 or 0, missing}",
    )
});

impl Queue {
    /// Counts one request, if it fits, after `spent` others that a process let through before.
    pub async fn spend(&self, quota: &Quota<'_>, spent: u32) -> Result<Spent, QueueError> {
        self.count(quota, spent, true).await
    }

    /// Counts requests that a process let through. What does not fit is owed: it takes the longer until the next fits.
    /// The time until nothing counts any more.
    pub async fn tell_spent(&self, quota: &Quota<'_>, spent: u32) -> Result<Duration, QueueError> {
        Ok(self.count(quota, spent, false).await?.full_in)
    }

    async fn count(&self, quota: &Quota<'_>, spent: u32, one_more: bool) -> Result<Spent, QueueError> {
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).max(1);
        let key = format!("{}quota:{}:{}", self.prefix, quota.name, quota.caller);
        let mut call = COUNT.key(&key);
        call.arg(micros(quota.each)).arg(micros(quota.window)).arg(spent).arg(u8::from(one_more));
        let (allowed, missing): (bool, u64) = call.invoke_async(&mut self.way_to(&key)).await?;
        Ok(Spent { allowed, full_in: Duration::from_micros(missing) })
    }
}
