//! Deletes what has served its purpose: used assertions, old one-time codes and real-name checks, sessions that ended long
//! ago, answers kept under an `Idempotency-Key`, drafts and files that were never handed in, old refusals, receipts of messages
//! whose outcome is settled.

use chrono::TimeDelta;

use crate::casework::upkeep::Upkeep;
use crate::domain::application::KEPT;
use crate::domain::kernel::clock::Instant;
use crate::domain::people::login_code;
use crate::domain::people::person::MISMATCH_MEMORY;
use crate::store::{
    Store, StoreError, api_clients, drafts, housekeeping, idempotency, identity_tries, login_codes, push_receipts,
    refused_applications, sessions,
};

/// How long an ended session is kept, so that an operator can find out how it ended.
const SESSION_MEMORY: TimeDelta = TimeDelta::days(30);

/// How long an attempt to apply for an item that is not published is kept: as long as a log of operations.
const REFUSAL_MEMORY: TimeDelta = TimeDelta::days(3 * 365);
/// How long a receipt may prove something. No push is in doubt for longer.
const RECEIPT_MEMORY: TimeDelta = TimeDelta::days(3);

/// How many rows of a kind are deleted in one transaction, so that no transaction is long.
pub const AT_ONCE: i64 = 1_000;

impl Upkeep<'_> {
    /// Deletes a batch of old rows and unused files; see [`forget_old`] and [`Upkeep::forget_uploads`].
    pub async fn forget_old(self) -> Result<u64, StoreError> {
        Ok(forget_old(self.0.store(), self.0.now()).await? + self.forget_uploads().await?)
    }
}

/// Deletes a batch of old rows and returns their number: 0 if nothing is left to delete, or another process is deleting.
pub async fn forget_old(store: &Store, now: Instant) -> Result<u64, StoreError> {
    let mut tx = store.begin().await?;
    if !housekeeping::try_lock(&mut tx).await? {
        return Ok(0);
    }
    let assertions = api_clients::forget_assertions(&mut tx, now, AT_ONCE).await?;
    let codes = login_codes::forget(&mut tx, now - login_code::MEMORY, AT_ONCE).await?;
    let tries = identity_tries::forget(&mut tx, now - MISMATCH_MEMORY, AT_ONCE).await?;
    let sessions = sessions::forget(&mut tx, now - SESSION_MEMORY, AT_ONCE).await?;
    let answers = idempotency::forget(&mut tx, now - idempotency::KEPT, AT_ONCE).await?;
    // A submitted draft outlives the answer to its submission, so that a late repetition still finds it.
    let drafts = drafts::forget(&mut tx, now - KEPT, AT_ONCE).await?;
    let refusals = refused_applications::forget(&mut tx, now - REFUSAL_MEMORY, AT_ONCE).await?;
    let receipts = push_receipts::forget(&mut tx, now - RECEIPT_MEMORY, AT_ONCE).await?;
    tx.commit().await?;
    Ok(assertions + codes + tries + sessions + answers + drafts + refusals + receipts)
}
