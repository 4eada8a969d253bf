//! The rate limiter, which all processes share through Redis. It limits the calls of each lane (the queue of one
//! gateway) to its gateway, and the requests of each caller of the API. The algorithm is the generic cell rate
//! algorithm (GCRA).
//!
//! A bucket holds tokens, and each call or request takes one. Time refills the bucket at a steady rate. For each bucket
//! Redis stores only the instant at which the bucket will be full again, in a key that expires at that instant. All
//! times are by Redis's clock. Each operation is one call of a Lua script.

use std::sync::LazyLock;
use std::time::Duration;

use redis::Script;

use crate::domain::kernel::pace::Pace;
use crate::domain::work::job::Lane;
use crate::queue::{Queue, QueueError};

/// The script of all operations. First it takes `charged` tokens, even if the bucket has fewer; a negative number gives
/// tokens back. Then it takes up to `wanted` tokens. The second step may leave the bucket in debt by at most `advance`
/// tokens.
///
/// The script counts in fractions of a token, so that all numbers are integers. A token has as many units as the window
/// has microseconds, and each microsecond refills as many units as a full bucket holds tokens. The stored instant is
/// rounded up, so that rounding never raises the rate. The returned time is rounded down, so that a caller that
/// computes the remaining tokens from this time never gets too few.
static DRAW: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local size, window, advance, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local charged, wanted = tonumber(ARGV[5]), tonumber(ARGV[6])
local full_at = tonumber(redis.call('GET', KEYS[1])) or now
-- A clock that was set back must not keep the bucket empty for as long.
local missing = math.min(math.max(0, full_at - now) * size, most * window)
missing = math.max(0, missing + charged * window)
local held = math.floor(((size + advance) * window - missing) / window)
local taken = math.max(0, math.min(wanted, held))
missing = missing + taken * window
local full_in = math.ceil(missing / size)
if full_in == 0 then
  redis.call('DEL', KEYS[1])
elseif now + full_in ~= full_at then
  redis.call('SET', KEYS[1], string.format('%.0f', now + full_in), 'PX', math.ceil(full_in / 1000))
end
return {taken, math.floor(missing / size)}",
    )
});

/// Messages with sign-in codes can take tokens that the bucket of their gateway does not have yet. Their limit is the
/// number of tokens that one second refills, divided by this constant. If the quotient is below one, their limit is one
/// token.
const ADVANCE: u32 = 10;

/// The quota of one caller.
#[derive(Debug, Clone, Copy)]
pub struct Quota<'a> {
    /// The name of the rate-limit policy. A caller has one bucket per policy.
    pub name: &'a str,
    pub caller: &'a str,
    /// How many requests the bucket holds.
    pub requests: u32,
    /// The time in which an empty bucket fills.
    pub window: Duration,
}

/// The limiter's decision about one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// True if the bucket had a token for the request.
    pub allowed: bool,
    /// The time until the bucket is full again.
    pub full_in: Duration,
}

struct Bucket {
    key: String,
    /// How many tokens a full bucket holds.
    size: u32,
    /// The time in which an empty bucket fills.
    window: Duration,
    /// How many tokens can be taken from the empty bucket, as a debt that the refill repays.
    advance: u32,
    /// The largest number of tokens that can be missing. If more seem to be missing, Redis's clock was set back.
    most_missing: u32,
}

struct Draw {
    charged: i64,
    wanted: u32,
}

struct Drawn {
    taken: u32,
    full_in: Duration,
}

impl Queue {
    /// Takes up to `wanted` tokens, one per call, from a lane's bucket. Returns how many calls the lane may make now.
    pub async fn take(&self, lane: &Lane, pace: Pace, wanted: usize) -> Result<usize, QueueError> {
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
        let drawn = self.draw(self.lane_bucket(lane, pace), Draw { charged: 0, wanted }).await?;
        Ok(usize::try_from(drawn.taken).unwrap_or(0))
    }

    /// Puts back into the bucket the tokens of calls that the lane did not make. If this fails, the lane is slower than
    /// allowed for a moment.
    pub async fn give_back(&self, lane: &Lane, pace: Pace, unused: usize) -> Result<(), QueueError> {
        let unused = u32::try_from(unused).unwrap_or(u32::MAX);
        let draw = Draw { charged: -i64::from(unused), wanted: 0 };
        self.draw(self.lane_bucket(lane, pace), draw).await.map(drop)
    }

    /// First counts `spent` earlier requests, which this process allowed without asking Redis. Then counts one more
    /// request if the quota allows it.
    pub async fn spend(&self, quota: &Quota<'_>, spent: u32) -> Result<Spent, QueueError> {
        let draw = Draw { charged: spent.into(), wanted: 1 };
        let Drawn { taken, full_in } = self.draw(self.caller_bucket(quota), draw).await?;
        Ok(Spent { allowed: taken == 1, full_in })
    }

    /// Counts requests that this process allowed without asking Redis, and returns the time until the bucket is full
    /// again. Requests beyond the quota leave the bucket in debt, which delays the caller's next request.
    pub async fn charge(&self, quota: &Quota<'_>, spent: u32) -> Result<Duration, QueueError> {
        let draw = Draw { charged: spent.into(), wanted: 0 };
        Ok(self.draw(self.caller_bucket(quota), draw).await?.full_in)
    }

    /// Returns the bucket of a lane. Sign-in codes have their own lane, but share the bucket of the other messages of
    /// their channel. Sign-in codes can leave this bucket in debt, and the other messages then wait until it is
    /// refilled. So sign-in codes are sent first, and both lanes together keep the gateway's rate.
    fn lane_bucket(&self, lane: &Lane, pace: Pace) -> Bucket {
        let advance = (pace.per_second / ADVANCE).max(1);
        let pushes = lane.pushes_beside();
        Bucket {
            advance: if pushes.is_some() { advance } else { 0 },
            key: self.lane_key(pushes.as_ref().unwrap_or(lane), "rate"),
            size: pace.per_second,
            window: Duration::from_secs(1),
            most_missing: pace.per_second.saturating_add(advance),
        }
    }

    fn caller_bucket(&self, quota: &Quota<'_>) -> Bucket {
        Bucket {
            key: format!("{}quota:{}:{}", self.prefix, quota.name, quota.caller),
            size: quota.requests.max(1),
            window: quota.window,
            advance: 0,
            // No limit: processes also allow requests without asking Redis, and the number of these requests is
            // unlimited.
            most_missing: u32::MAX,
        }
    }

    async fn draw(&self, bucket: Bucket, Draw { charged, wanted }: Draw) -> Result<Drawn, QueueError> {
        let Bucket { key, size, window, advance, most_missing } = bucket;
        let window = u64::try_from(window.as_micros()).unwrap_or(u64::MAX).max(1);
        let mut call = DRAW.key(&key);
        call.arg(size).arg(window).arg(advance).arg(most_missing).arg(charged).arg(wanted);
        let (taken, full_in): (u32, u64) = call.invoke_async(&mut self.route_to(&key)).await?;
        Ok(Drawn { taken, full_in: Duration::from_micros(full_in) })
    }
}
