//! Sends a record to PostgreSQL, and reads the results.

use super::statement::{PartResult, Statement};
use super::{Record, parts};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::JobId;
use crate::domain::work::job::{Lane, Offer};
use crate::store::seal::KeyRing;
use crate::store::{Conn, StoreError};

#[derive(Debug, Clone, thiserror::Error)]
pub enum SaveError {
    /// Another transaction changed a case or draft after it was read, or removed a file.
    #[error("changed by another request in the meantime")]
    Stale,
    /// The item of a new case is not in force, because the catalogue in memory is out of date.
    #[error("the item is not in force")]
    NotInForce,
    /// The person would have too many open cases of an item.
    #[error("too many cases are open")]
    TooManyOpen,
    /// Another request with the same idempotency key was answered after this request found no stored answer.
    #[error("another request with the same key was answered in the meantime")]
    Answered,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SaveError {
    /// Returns the database's error. Only for a record without cases, drafts, files and answers: such a record can be
    /// refused for no other reason.
    #[must_use]
    pub fn into_store(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Stale | Self::NotInForce | Self::TooManyOpen | Self::Answered => {
                StoreError::Broken("a record without cases was refused".to_owned())
            }
        }
    }
}

/// Saves a record. Returns the new jobs that are due at once. If the function fails, the caller must not commit.
///
/// The function takes the advisory locks of [`Record::people`] (see [`crate::store::changes`]). All transactions take
/// their locks in the same order, so that no two records wait for each other in a circle:
/// - First the phones and resident IDs of new people are entered. Another transaction in which a person proves to own
///   one of these phones or resident IDs waits for this transaction before it locks a person
///   ([`crate::store::people::reserve_phone`]).
/// - Cases and drafts are locked before people, because the use case locked them when it read them.
/// - The advisory locks come next, before anything else for which two records could wait.
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
    if error.violates("cases_in_force") {
        SaveError::NotInForce
    } else if error.violates("cases_open_at_once") {
        SaveError::TooManyOpen
    } else {
        error.into()
    }
}
