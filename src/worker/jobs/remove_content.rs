//! Removes the content of a file whose row was deleted, or never written. The content is unreachable. A row that is
//! written late takes this job back in the same transaction, or is not written at all; so this job checks nothing.

use crate::domain::work::outcome::Outcome;
use crate::store::StoreError;
use crate::store::jobs::Ending;
use crate::worker::attempts::attempt::Attempt;
use crate::worker::attempts::conclusion::{Conclusion, Contact};
use crate::worker::attempts::repeat::again_or_dead;

/// May run twice: content that is gone already counts as removed.
pub async fn run(attempt: &Attempt<'_>, path: &str) -> Result<Conclusion, StoreError> {
    let Attempt { workshop, job, policy, .. } = attempt;
    let ending = match workshop.casework.files().remove(path).await {
        Ok(()) => Ending::done(job, Outcome::Removed, String::new(), None),
        Err(error) => again_or_dead(job, policy, None, Outcome::Unavailable, error.to_string()),
    };
    Ok(Conclusion::plain(ending, Contact::None))
}
