//! One attempt at a job: what it stands on, and how it ends where it breaks off in the middle.
//!
//! Whatever breaks off is only written down, and tried again. Whether that was once too often is for the next attempt to
//! judge before it does anything, by the rules of its kind; so it is judged even where a worker died with the one before.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::domain::kernel::retry::RetryPolicy;
use crate::domain::work::job::Work;
use crate::domain::work::outcome::Outcome;
use crate::kill_point::{self, Step};
use crate::store::StoreError;
use crate::store::jobs::{Claimed, Ending};
use crate::worker::Workshop;
use crate::worker::pool::verdict::{Conclusion, Contact, jitter};

/// So many workers in a row may die, or fall silent, while they are at one job. Then it is taken for the cause.
const LOST_AT_MOST: i32 = 20;

pub struct Attempt<'a> {
    /// What may be needed.
    pub workshop: &'a Workshop,
    pub job: &'a Claimed,
    /// How patient one is with its kind.
    pub policy: RetryPolicy,
    outside: &'a Outside,
}

/// Whether an attempt came so far that a gateway may have acted.
#[derive(Default)]
pub struct Outside(AtomicBool);

impl<'a> Attempt<'a> {
    /// An attempt at this work, of which nothing was done yet.
    pub fn new(workshop: &'a Workshop, job: &'a Claimed, work: &Work, outside: &'a Outside) -> Self {
        Self { workshop, job, policy: workshop.settings.policy(work), outside }
    }

    /// Says that the gateway is called now, with something that must not be done twice.
    pub fn reaches_out(&self) {
        self.outside.0.store(true, Ordering::Relaxed);
        kill_point::pass(Step::Prepared, self.job.lane_name());
    }

    /// Why it is one attempt too many, if it is.
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

    /// The record could not be read; nothing was done outside yet.
    pub fn not_begun(&self, error: &StoreError) -> Conclusion {
        let ending = match error {
            StoreError::Unavailable(_) => {
                again(self.workshop, self.job, Duration::ZERO, Outcome::NoRecord, error.to_string())
            }
            StoreError::Constraint(_) | StoreError::Broken(_) => {
                tracing::error!(job = %self.job.id(), %error, "a job cannot be begun");
                Ending::dead(self.job, Outcome::BrokenRecord, error.to_string())
            }
        };
        Conclusion::plain(ending, Contact::None)
    }
}

/// An attempt that broke off. If it came so far, nobody knows what it did outside.
pub fn broken_off(workshop: &Workshop, job: &Claimed, outside: &Outside, why: &str, contact: Contact) -> Conclusion {
    tracing::error!(job = %job.id(), kind = %job.kind, why, "an attempt broke off");
    let ending = again(workshop, job, workshop.settings.doubts.clear_up_after, Outcome::Broken, why.to_owned());
    let unclear = job.unclear.saturating_add(i32::from(outside.0.load(Ordering::Relaxed)));
    Conclusion::plain(ending.with_unclear(unclear), contact)
}

fn again(workshop: &Workshop, job: &Claimed, at_least: Duration, outcome: Outcome, why: String) -> Ending {
    let attempts = u32::try_from(job.attempts).unwrap_or(u32::MAX);
    let wait = workshop.settings.retry.wait(attempts, Some(at_least), jitter());
    Ending::again(job, wait, outcome, why)
}
