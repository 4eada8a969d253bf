//! The context of one attempt at a job, and the conclusions of attempts that fail outside the job's own code.
//!
//! Every attempt first checks whether the job was tried too often already. So the limits of the retry policy also hold
//! for attempts that never ended because their worker died.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::domain::kernel::retry::RetryPolicy;
use crate::domain::work::job::Work;
use crate::domain::work::outcome::Outcome;
use crate::kill_point::{self, Boundary};
use crate::store::StoreError;
use crate::store::jobs::{Claimed, Ending};
use crate::worker::attempts::conclusion::{Conclusion, Contact};
use crate::worker::attempts::repeat::{again, attempts};
use crate::worker::workshop::Workshop;

/// If this many workers in a row died or fell silent during one job, the job is probably the cause, and is given up.
const LOST_AT_MOST: i32 = 20;

pub struct Attempt<'a> {
    pub workshop: &'a Workshop,
    pub job: &'a Claimed,
    pub policy: RetryPolicy,
    progress: &'a Progress,
}

/// Records whether the gateway may have been called during an attempt. False until [`Attempt::reaches_out`] sets it.
#[derive(Default)]
pub struct Progress(AtomicBool);

impl<'a> Attempt<'a> {
    pub fn new(workshop: &'a Workshop, job: &'a Claimed, work: &Work, progress: &'a Progress) -> Self {
        Self { workshop, job, policy: workshop.settings.retry.policy(work), progress }
    }

    /// Records that the gateway is about to be called. Call this method before a gateway call that must not be made
    /// twice. If the attempt is broken off afterwards, its outcome is unknown.
    pub fn reaches_out(&self) {
        self.progress.0.store(true, Ordering::Relaxed);
        kill_point::pass(Boundary::Prepared, self.job.lane_name());
    }

    /// Returns the reason if the job was tried too often already, or `None` if this attempt may be made.
    pub async fn one_too_many(&self) -> Result<Option<String>, StoreError> {
        let attempts = attempts(self.job);
        if self.policy.is_spent(attempts) {
            return Ok(Some(format!("{} attempts were made, and the last of them never ended", attempts - 1)));
        }
        if self.job.unclear < LOST_AT_MOST {
            return Ok(None);
        }
        let lost = self.workshop.casework.jobs().lost_in_a_row(self.job.id()).await?;
        Ok((lost >= LOST_AT_MOST).then(|| format!("{lost} workers in a row died or fell silent while they were at it")))
    }

    /// Returns the conclusion of an attempt that could not read its data from the database. No gateway was called.
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

/// Returns the conclusion of an attempt that panicked or took too long. The outcome of the attempt is unknown if the
/// gateway may have been called.
pub fn broken_off(workshop: &Workshop, job: &Claimed, progress: &Progress, why: &str, contact: Contact) -> Conclusion {
    tracing::error!(job = %job.id(), kind = %job.kind, why, "an attempt broke off");
    let settings = &workshop.settings;
    let wait = settings.time_outs.clear_up_after;
    let ending = again(job, &settings.retry.usual, wait, Outcome::Broken, why.to_owned());
    let unclear = job.unclear.saturating_add(i32::from(progress.0.load(Ordering::Relaxed)));
    Conclusion::plain(ending.with_unclear(unclear), contact)
}
