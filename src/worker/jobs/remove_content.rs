//! Removes the content of a file whose row is gone, or never came: nobody can ask for it. A row that comes takes the promise
//! back, or does not come, so there is nothing to ask here.

use crate::store::StoreError;
use crate::store::jobs::Ending;
use crate::worker::pool::attempt::Attempt;
use crate::worker::pool::verdict::{Conclusion, Contact, again_or_dead};

/// Removes it. What is gone already is as good as removed, so that this may be done twice.
pub async fn run(attempt: &Attempt<'_>, path: &str) -> Result<Conclusion, StoreError> {
    let Attempt { workshop, job, policy, .. } = attempt;
    let ending = match workshop.casework.files().remove(path).await {
        Ok(()) => Ending::done(job, "removed", String::new(), None),
        Err(error) => again_or_dead(job, policy, None, "unavailable", error.to_string()),
    };
    Ok(Conclusion::plain(ending, Contact::None))
}
