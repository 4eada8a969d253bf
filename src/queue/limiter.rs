//! The brake: a token bucket a lane, shared by all workers, and one-at-a-time for recipients whose gateway wants it.

use std::time::Duration;

use redis::{AsyncCommands, Script, SetExpiry, SetOptions};

use crate::domain::kernel::pace::Pace;
use crate::domain::work::job::Lane;
use crate::queue::{Queue, QueueError};

/// Takes up to `wanted` tokens and says how many there were, and as many as the advance beyond them; less than none are
/// given back. Redis's own clock fills the bucket.
const TAKE: &str = r"
local now = redis.call('TIME')
local millis = now[1] * 1000 + math.floor(now[2] / 1000)
local rate, wanted, advance = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local state = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = tonumber(state[1]) or rate
local at = tonumber(state[2]) or millis
tokens = math.min(rate, tokens + math.max(0, millis - at) * rate / 1000)
local taken = math.min(wanted, math.max(0, math.floor(tokens + advance)))
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - taken), 'at', millis)
redis.call('PEXPIRE', KEYS[1], 5000)
return taken";

/// The part of a second's calls by which codes may be ahead of their gateway's rate.
const ADVANCE: u32 = 10;

impl Queue {
    /// Takes up to `wanted` calls from a lane's bucket, and says how many may be made now.
    pub async fn take(&self, lane: &Lane, pace: Pace, wanted: usize) -> Result<usize, QueueError> {
        let taken = self.draw(lane, pace, i64::try_from(wanted).unwrap_or(i64::MAX)).await?;
        Ok(usize::try_from(taken).unwrap_or(0))
    }

    /// Gives back what was taken for calls that were not made.
    ///
    /// # Errors
    /// When Redis is unavailable; then the lane is a moment slower than it might be.
    pub async fn give_back(&self, lane: &Lane, pace: Pace, unused: usize) -> Result<(), QueueError> {
        self.draw(lane, pace, i64::try_from(unused).map_or(i64::MIN, |unused| -unused)).await.map(drop)
    }

    async fn draw(&self, lane: &Lane, pace: Pace, wanted: i64) -> Result<i64, QueueError> {
        // Codes draw on the bucket of their channel's pushes. They may leave it in debt, which the pushes wait out: so codes
        // come first, however many pushes wait, and the gateway's limit holds for both together.
        let (bucket, advance) = match lane.pushes_beside() {
            Some(pushes) => (pushes, (pace.per_second / ADVANCE).max(1)),
            None => (lane.clone(), 0),
        };
        let key = self.lane_key(&bucket, "bucket");
        let script = Script::new(TAKE);
        let mut call = script.key(&key);
        Ok(call.arg(pace.per_second).arg(wanted).arg(advance).invoke_async(&mut self.way_to(&key)).await?)
    }

    /// Tries to be the only one who sends to a recipient on a lane. `recipient` is a hash, not an address.
    pub async fn reserve(
        &self,
        lane: &Lane,
        recipient: &str,
        holder: &str,
        at_most: Duration,
    ) -> Result<bool, QueueError> {
        let key = self.lane_key(lane, &format!("to:{recipient}"));
        let millis = u64::try_from(at_most.as_millis()).unwrap_or(u64::MAX);
        let options =
            SetOptions::default().conditional_set(redis::ExistenceCheck::NX).with_expiration(SetExpiry::PX(millis));
        let set: Option<String> = self.way_to(&key).set_options(&key, holder, options).await?;
        Ok(set.is_some())
    }

    /// Ends a reservation, if it is still this holder's.
    ///
    /// # Errors
    /// When Redis is unavailable; then it ends by itself.
    pub async fn release(&self, lane: &Lane, recipient: &str, holder: &str) -> Result<(), QueueError> {
        const RELEASE: &str =
            "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";
        let script = Script::new(RELEASE);
        let key = self.lane_key(lane, &format!("to:{recipient}"));
        let _: i64 = script.key(&key).arg(holder).invoke_async(&mut self.way_to(&key)).await?;
        Ok(())
    }
}
