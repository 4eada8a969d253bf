//! Removes the content of an uploaded file whose database row was deleted or never written. The job need not check for
//! a row: a transaction that writes the row deletes this job, and fails if the job has begun.

use crate::domain::work::outcome::Outcome;
use crate::store::StoreError;
use crate::store::jobs::Ending;
use crate::worker::attempts::{Attempt, Conclusion, Contact, again_or_dead};

/// The job can safely run twice, because content that does not exist counts as removed.
pub async fn run(attempt: &Attempt<'_>, path: &str) -> Result<Conclusion, StoreError> {
    let Attempt { workshop, job, policy, .. } = attempt;
    let ending = match workshop.casework.files().remove(path).await {
        Ok(()) => Ending::done(job, Outcome::Removed, String::new(), None),
        Err(error) => again_or_dead(job, policy, None, Outcome::Unavailable, error.to_string()),
    };
    Ok(Conclusion::plain(ending, Contact::None))
}
