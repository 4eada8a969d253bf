//! Sends a record to PostgreSQL, and reads the results.

use super::statement::{PartResult, Statement};
use super::{Record, parts};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::JobId;
use crate::domain::work::job::{Lane, Offer};
use crate::store::seal::KeyRing;
use crate::store::{Conn, StoreError};

#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Another transaction changed a case or a draft since it was read, or removed a file.
    #[error("changed by another request in the meantime")]
    Stale,
    /// A case was to be opened on an item that is not in force: the catalogue in memory is out of date.
    #[error("the item is not in force")]
    NotInForce,
    /// Another request with the same idempotency key was answered since the answer was looked for.
    #[error("another request with the same key was answered in the meantime")]
    Answered,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SaveError {
    /// The database's error. Only a record that opens cases, changes cases or drafts, hands in files or holds answers
    /// can be refused for another reason.
    #[must_use]
    pub fn into_store(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Stale | Self::NotInForce | Self::Answered => {
                StoreError::Broken("a record without cases was refused".to_owned())
            }
        }
    }
}

/// Saves a record. Returns the new jobs that are due at once.
///
/// It takes the advisory locks of [`Record::people`] (see [`crate::store::changes`]) in a fixed order among all locks,
/// so that two records never wait for each other in a circle. The locks come after the phones and resident IDs of new
/// people are entered: a transaction that proves such a name waits for them while it holds no person
/// ([`crate::store::people::reserve_phone`]). They come after cases and drafts, which every transaction locks before
/// people. They come before anything else for which two records could wait.
///
/// # Errors
/// [`SaveError::Stale`] if a case or a draft is not at the version that was read, or a file is gone.
/// [`SaveError::NotInForce`] if a case is opened on an item that is not in force. [`SaveError::Answered`] if another
/// answer is stored under the key. After any of them nothing may be committed.
pub async fn save(conn: &mut Conn, keys: &KeyRing, record: &Record, now: Instant) -> Result<Vec<Offer>, SaveError> {
    let results = Statement::of(keys, record, now)?.run(conn).await.map_err(refusal)?;
    let count = |about| results.iter().filter(|result| result.about == about).count();
    if count(parts::ANSWERED) != record.answers.len() {
        return Err(SaveError::Answered);
    }
    if count(parts::UPDATED) != record.cases.len() + record.drafts.len() + record.files.len() {
        return Err(SaveError::Stale);
    }
    let offer =
        |PartResult { id, lane, .. }| Some(Offer { job: JobId::from_uuid(id?), lane: Lane::from_stored(lane?) });
    Ok(results.into_iter().filter(|result| result.about == parts::OFFERED).filter_map(offer).collect())
}

fn refusal(error: StoreError) -> SaveError {
    if error.violates("cases_in_force") { SaveError::NotInForce } else { error.into() }
}
