//! Reservations of recipients, for gateways that accept only one message at a time to the same recipient.

use std::time::Duration;

use redis::{AsyncCommands, ExistenceCheck, Script, SetExpiry, SetOptions};

use crate::domain::work::job::Lane;
use crate::queue::{Queue, QueueError};

/// Script that deletes a reservation if it still belongs to the given holder.
const RELEASE: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

impl Queue {
    /// Reserves a recipient on a lane (the queue of one gateway) for one job. Returns false if the recipient is already
    /// reserved. `recipient` is a hash of the address, and `holder` identifies the job. Unless it is released, the
    /// reservation expires after `at_most`.
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

    /// Ends a reservation, if it still belongs to this holder. If this fails, the reservation expires by itself.
    pub async fn release(&self, lane: &Lane, recipient: &str, holder: &str) -> Result<(), QueueError> {
        let key = self.recipient_key(lane, recipient);
        let _: i64 = Script::new(RELEASE).key(&key).arg(holder).invoke_async(&mut self.route_to(&key)).await?;
        Ok(())
    }

    fn recipient_key(&self, lane: &Lane, recipient: &str) -> String {
        self.lane_key(lane, &format!("to:{recipient}"))
    }
}
