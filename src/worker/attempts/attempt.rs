//! The context of one attempt at a job, and its end if it breaks off in the middle.
//!
//! An attempt that breaks off is recorded and tried again. The next attempt decides, before it does anything, whether
//! that was once too often, by the rules of the job's kind. So the rules also apply after an attempt whose worker died.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::domain::kernel::retry::RetryPolicy;
use crate::domain::work::job::Work;
use crate::domain::work::outcome::Outcome;
use crate::kill_point::{self, Boundary};
use crate::store::StoreError;
use crate::store::jobs::{Claimed, Ending};
use crate::worker::attempts::conclusion::{Conclusion, Contact};
use crate::worker::attempts::repeat::again;
use crate::worker::workshop::Workshop;

/// After this many workers in a row died or fell silent during one job, the job is taken for the cause.
const LOST_AT_MOST: i32 = 20;

pub struct Attempt<'a> {
    pub workshop: &'a Workshop,
    pub job: &'a Claimed,
    /// The retry policy of the job's kind.
    pub policy: RetryPolicy,
    progress: &'a Progress,
}

/// True once a gateway may have acted on the attempt.
#[derive(Default)]
pub struct Progress(AtomicBool);

impl<'a> Attempt<'a> {
    pub fn new(workshop: &'a Workshop, job: &'a Claimed, work: &Work, progress: &'a Progress) -> Self {
        Self { workshop, job, policy: workshop.settings.retry.policy(work), progress }
    }

    /// Notes that the gateway is called next, with a request that must not be sent twice.
    pub fn reaches_out(&self) {
        self.progress.0.store(true, Ordering::Relaxed);
        kill_point::pass(Boundary::Prepared, self.job.lane_name());
    }

    /// Why this would be one attempt too many; `None` if it may be made.
    pub async fn one_too_many(&self) -> Result<Option<String>, StoreError> {
        let attempts = u32::try_from(self.job.attempts).unwrap_or(u32::MAX);
        if self.policy.is_spent(attempts) {
            return Ok(Some(format!("{} attempts were made, and the last of them never ended", attempts - 1)));
        }
        if self.job.unclear < LOST_AT_MOST {
            return Ok(None);
        }
        let lost = self.workshop.casework.jobs().lost_in_a_row(self.job.id()).await?;
        Ok((lost >= LOST_AT_MOST).then(|| format!("{lost} workers in a row died or fell silent while they were at it")))
    }

    /// The end of an attempt whose record could not be read. Nothing was done outside.
    pub fn not_begun(&self, error: &StoreError) -> Conclusion {
        let ending = match error {
            StoreError::Unavailable(_) => {
                let policy = &self.workshop.settings.retry.usual;
                again(self.job, policy, Duration::ZERO, Outcome::NoRecord, error.to_string())
            }
            StoreError::Constraint(_) | StoreError::Broken(_) => {
                tracing::error!(job = %self.job.id(), %error, "a job cannot be begun");
                Ending::dead(self.job, Outcome::BrokenRecord, error.to_string())
            }
        };
        Conclusion::plain(ending, Contact::None)
    }
}

/// The end of an attempt that broke off. If it had reached the gateway, its outcome is unknown.
pub fn broken_off(workshop: &Workshop, job: &Claimed, progress: &Progress, why: &str, contact: Contact) -> Conclusion {
    tracing::error!(job = %job.id(), kind = %job.kind, why, "an attempt broke off");
    let settings = &workshop.settings;
    let wait = settings.time_outs.clear_up_after;
    let ending = again(job, &settings.retry.usual, wait, Outcome::Broken, why.to_owned());
    let unclear = job.unclear.saturating_add(i32::from(progress.0.load(Ordering::Relaxed)));
    Conclusion::plain(ending.with_unclear(unclear), contact)
}
