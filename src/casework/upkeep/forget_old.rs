//! What served its purpose is forgotten: used assertions, old one-time codes and real-name checks, sessions long over, answers
//! kept under an `Idempotency-Key`, drafts and files that were never handed in, old refusals, receipts of messages that nobody
//! doubts any more.

use chrono::TimeDelta;

use crate::casework::Casework;
use crate::domain::application::KEPT;
use crate::domain::kernel::clock::Instant;
use crate::domain::people::login_code;
use crate::domain::people::person::MISMATCH_MEMORY;
use crate::store::{
    Store, StoreError, api_clients, drafts, housekeeping, idempotency, identity_tries, login_codes, push_receipts,
    refused_applications, sessions,
};

/// How long an ended session is kept, so that somebody can ask how it ended.
const SESSION_MEMORY: TimeDelta = TimeDelta::days(30);

/// How long an attempt to apply for what is not published is kept: as long as a log of operations.
const REFUSAL_MEMORY: TimeDelta = TimeDelta::days(3 * 365);
/// How long a receipt may prove something. No push is in doubt for longer.
const RECEIPT_MEMORY: TimeDelta = TimeDelta::days(3);

/// How many rows of a kind are forgotten in one transaction, so that none is long.
pub const AT_ONCE: i64 = 1_000;

impl Casework {
    /// Forgets a batch of what is old now; see [`forget_old`] and [`Casework::forget_uploads`].
    pub async fn forget_old(&self) -> Result<u64, StoreError> {
        Ok(forget_old(self.store(), self.now()).await? + self.forget_uploads().await?)
    }
}

/// Forgets a batch of what is old, and returns how many rows that were: none when nothing is left to forget, or when
/// another process is at it.
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
