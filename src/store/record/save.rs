//! Hands a record to PostgreSQL, and reads what became of it.

use super::statement::{Statement, Told};
use super::{Record, parts};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::JobId;
use crate::domain::work::job::{Lane, Offer};
use crate::store::seal::KeyRing;
use crate::store::{Conn, StoreError};

/// Why a record was not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Somebody else changed a case or a draft since it was read, or threw away a file.
    #[error("changed by somebody else in between")]
    Stale,
    /// A case was to be opened on an item that is not in force: the catalogue in memory is not the published one any more.
    #[error("an item that is not in force")]
    NotInForce,
    /// Another request with the same idempotency key was answered since it was looked for.
    #[error("answered by another request with the same key in between")]
    Answered,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SaveError {
    /// The database's error. A record that opens no case, changes neither case nor draft, hands in no file and holds no answer
    /// is never refused otherwise.
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

/// Saves a record, and returns the jobs that are due at once and were not promised before.
///
/// The advisory locks of [`Record::people`] are taken with it (see [`crate::store::changes`]): after those who are new have their
/// names, which whoever proves such a name waits for while it holds nobody ([`crate::store::people::reserve_phone`]), after cases
/// and drafts, which are held before people everywhere, and before anything else for which two records could wait, so that
/// they wait for each other in one order.
///
/// # Errors
/// [`SaveError::Stale`] when a case or a draft is not at the version that it was read at or a file is gone,
/// [`SaveError::NotInForce`] when a case is opened on an item that is not in force, [`SaveError::Answered`] when another
/// answer is kept under the key: then nothing may be committed.
pub async fn save(conn: &mut Conn, keys: &KeyRing, record: &Record, now: Instant) -> Result<Vec<Offer>, SaveError> {
    let told = Statement::of(keys, record, now)?.run(conn).await.map_err(refusal)?;
    let count = |about| told.iter().filter(|told| told.about == about).count();
    if count(parts::ANSWERED) != record.answers.len() {
        return Err(SaveError::Answered);
    }
    if count(parts::UPDATED) != record.cases.len() + record.drafts.len() + record.files.len() {
        return Err(SaveError::Stale);
    }
    let offers = told.into_iter().filter(|told| told.about == parts::OFFERED);
    Ok(offers
        .filter_map(|Told { id, lane, .. }| Some(Offer { job: JobId::from_uuid(id?), lane: Lane::from_stored(lane?) }))
        .collect())
}

fn refusal(error: StoreError) -> SaveError {
    if error.broke("cases_in_force") { SaveError::NotInForce } else { error.into() }
}
