//! Computes when a failed job is tried again. The wait is random (full jitter), up to a bound that the job's retry
//! policy sets. The caller can set a minimum.

use std::time::Duration;

use crate::domain::kernel::clock::random_below;
use crate::domain::kernel::retry::{Next, RetryPolicy};
use crate::domain::work::outcome::Outcome;
use crate::store::jobs::{Claimed, Ending};

/// Returns an ending by which the job is tried again after at least `at_least`, even if the policy allows no further
/// attempt.
pub fn again(job: &Claimed, policy: &RetryPolicy, at_least: Duration, outcome: Outcome, detail: String) -> Ending {
    Ending::again(job, policy.wait(attempts(job), Some(at_least), jitter()), outcome, detail)
}

/// Returns an ending by which the job is tried again after at least `at_least`. If the policy allows no further
/// attempt, the job becomes a dead letter instead.
pub fn again_or_dead(
    job: &Claimed,
    policy: &RetryPolicy,
    at_least: Option<Duration>,
    outcome: Outcome,
    detail: String,
) -> Ending {
    match policy.after(attempts(job), job.age(), at_least, jitter()) {
        Next::Again(wait) => Ending::again(job, wait, outcome, detail),
        Next::Enough => Ending::dead(job, outcome, detail),
    }
}

/// The number of attempts that count towards the limit of the retry policy, this one included.
pub fn attempts(job: &Claimed) -> u32 {
    u32::try_from(job.attempts).unwrap_or(u32::MAX)
}

fn jitter() -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "the number is below 2^32")]
    let jitter = random_below(1 << 32) as u32;
    jitter
}
