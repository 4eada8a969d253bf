//! Deletes old rows: used assertions, one-time codes, real-name checks, ended sessions, answers stored for an
//! `Idempotency-Key`, drafts, refused applications, and gateways' delivery receipts of messages.

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

/// Ended sessions are kept this long, so that an operator can find out how they ended.
const SESSION_MEMORY: TimeDelta = TimeDelta::days(30);
/// How long refused applications are kept: three years, as a log of operations would be.
const REFUSAL_MEMORY: TimeDelta = TimeDelta::days(3 * 365);
/// How long gateways' delivery receipts are kept. The outcome of a push is settled long before.
const RECEIPT_MEMORY: TimeDelta = TimeDelta::days(3);
/// The maximum number of rows of one kind that one transaction deletes. This keeps transactions short.
pub const AT_ONCE: i64 = 1_000;

impl Upkeep<'_> {
    /// Deletes a batch of old rows ([`forget_old`]) and of unused files ([`Upkeep::forget_uploads`]).
    pub async fn forget_old(self) -> Result<u64, StoreError> {
        Ok(forget_old(self.0.store(), self.0.now()).await? + self.forget_uploads().await?)
    }
}

/// Deletes a batch of old rows and returns their number: 0 if nothing is left, or if another process is deleting.
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
    // Drafts are kept longer than the stored answer to their submission. So if a client repeats the submission late,
    // the request still finds the draft and its case.
    let drafts = drafts::forget(&mut tx, now - KEPT, AT_ONCE).await?;
    let refusals = refused_applications::forget(&mut tx, now - REFUSAL_MEMORY, AT_ONCE).await?;
    let receipts = push_receipts::forget(&mut tx, now - RECEIPT_MEMORY, AT_ONCE).await?;
    tx.commit().await?;
    Ok(assertions + codes + tries + sessions + answers + drafts + refusals + receipts)
}
