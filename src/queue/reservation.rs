//! Reservations of recipients, for gateways that accept only one message to a recipient at a time.

use std::time::Duration;

use redis::{AsyncCommands, ExistenceCheck, Script, SetExpiry, SetOptions};

use crate::domain::work::job::Lane;
use crate::queue::{Queue, QueueError};

/// Deletes a reservation if this holder still has it.
const RELEASE: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

impl Queue {
    /// Reserves a recipient on a lane for `holder`, for `at_most` this long; false if another holder has it.
    /// `recipient` is a hash, not an address.
    pub async fn reserve(
        &self,
        lane: &Lane,
        recipient: &str,
        holder: &str,
        at_most: Duration,
    ) -> Result<bool, QueueError> {
        let key = self.recipient_key(lane, recipient);
        let millis = u64::try_from(at_most.as_millis()).unwrap_or(u64::MAX);
        let options = SetOptions::default().conditional_set(ExistenceCheck::NX).with_expiration(SetExpiry::PX(millis));
        let set: Option<String> = self.route_to(&key).set_options(&key, holder, options).await?;
        Ok(set.is_some())
    }

    /// Ends a reservation, if it is still this holder's.
    ///
    /// # Errors
    /// Redis is unavailable. The reservation then expires by itself.
    pub async fn release(&self, lane: &Lane, recipient: &str, holder: &str) -> Result<(), QueueError> {
        let script = Script::new(RELEASE);
        let key = self.recipient_key(lane, recipient);
        let _: i64 = script.key(&key).arg(holder).invoke_async(&mut self.route_to(&key)).await?;
        Ok(())
    }

    fn recipient_key(&self, lane: &Lane, recipient: &str) -> String {
        self.lane_key(lane, &format!("to:{recipient}"))
    }
}
