//! Checks an uploaded file: asks the malware scanner about the original, and encodes a picture again. Until this job has
//! ended, no person is shown the file. If the scanner does not answer, the file stays unchecked.
//!
//! The structure of the file was checked when it arrived. May run twice: both attempts write the same.

use crate::casework::jobs::{UncheckedError, UploadToCheck};
use crate::domain::application::upload::{FileFault, FileKind};
use crate::domain::kernel::ids::UploadId;
use crate::domain::work::outcome::Outcome;
use crate::gateway::malware::MalwareFact;
use crate::store::StoreError;
use crate::store::jobs::Ending;
use crate::worker::attempts::{Attempt, Conclusion, Contact, again_or_dead};

pub async fn run(attempt: &Attempt<'_>, id: UploadId) -> Result<Conclusion, StoreError> {
    let Attempt { workshop, job, policy, .. } = attempt;
    let Some(file) = workshop.casework.jobs().upload_to_check(id).await? else {
        let ending = Ending::done(job, Outcome::NoNeed, "the file was deleted or checked".to_owned(), None);
        return Ok(Conclusion::plain(ending, Contact::None));
    };
    let unavailable = |why: String, contact| {
        let ending = again_or_dead(job, policy, None, Outcome::Unavailable, why);
        Ok(Conclusion::plain(ending, contact))
    };
    let original = match workshop.casework.jobs().original(&file).await {
        Ok(original) => original,
        Err(error) => return unavailable(error.to_string(), Contact::None),
    };
    let mut contact = Contact::None;
    if let Some(clamd) = &workshop.clamd {
        match clamd.scan(&original).await {
            MalwareFact::Clean => contact = Contact::Answered,
            MalwareFact::Found(what) => {
                tracing::warn!(upload = %id, what, "the malware scanner found something in a file");
                return refuse(attempt, &file, FileFault::Malware, Contact::Answered).await;
            }
            MalwareFact::Refused(why) => return unavailable(why, Contact::Answered),
            MalwareFact::Silent(why) => return unavailable(why, Contact::Silent),
        }
    }
    match show(attempt, &file, original).await {
        Ok(Ok(())) => Ok(Conclusion::plain(Ending::done(job, Outcome::Passed, String::new(), None), contact)),
        Ok(Err(fault)) => refuse(attempt, &file, fault, contact).await,
        Err(UncheckedError::Store(error)) => Err(error),
        Err(error) => unavailable(error.to_string(), contact),
    }
}

/// Makes the copy of a picture, and lets people see the file.
async fn show(
    Attempt { workshop, job, .. }: &Attempt<'_>,
    file: &UploadToCheck,
    original: Vec<u8>,
) -> Result<Result<(), FileFault>, UncheckedError> {
    let jobs = workshop.casework.jobs();
    if file.kind() == FileKind::Pdf {
        jobs.pass_as_it_is(file).await?;
        return Ok(Ok(()));
    }
    match workshop.casework.files().show(file.kind(), original).await? {
        Ok((kind, copy)) => Ok(Ok(jobs.pass_with_copy(file, job.fence, kind, &copy).await?)),
        Err(fault) => Ok(Err(fault)),
    }
}

async fn refuse(
    attempt: &Attempt<'_>,
    file: &UploadToCheck,
    fault: FileFault,
    contact: Contact,
) -> Result<Conclusion, StoreError> {
    attempt.workshop.casework.jobs().refuse_upload(file, fault, attempt.job.trace.as_deref()).await?;
    let ending = Ending::done(attempt.job, Outcome::FileRefused, fault.to_string(), None);
    Ok(Conclusion::plain(ending, contact))
}
