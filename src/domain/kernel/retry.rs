//! Retry policy: exponential backoff with full jitter. The number of attempts and the age of the job are limited.

use std::time::Duration;

/// The retry policy of one kind of job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The upper bound of the first wait.
    pub first: Duration,
    /// The upper bound of any wait.
    pub longest: Duration,
    /// The maximum number of attempts.
    pub attempts: u32,
    /// The maximum age of a job.
    pub age: Duration,
}

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Retry after this wait.
    Again(Duration),
    /// Stop: the maximum number of attempts or the maximum age is reached.
    Enough,
}

impl RetryPolicy {
    /// Decides what follows the `attempts`-th attempt (from 1) at a job that is `age` old.
    ///
    /// `jitter` is a uniform number in `0..=u32::MAX`. `at_least` is the wait that the gateway asked for
    /// (`Retry-After`). It is respected even beyond the longest wait, but not beyond the maximum age of the job.
    pub fn after(&self, attempts: u32, age: Duration, at_least: Option<Duration>, jitter: u32) -> Next {
        if attempts >= self.attempts || age >= self.age {
            return Next::Enough;
        }
        let wait = self.wait(attempts, at_least, jitter);
        if age.saturating_add(wait) > self.age { Next::Enough } else { Next::Again(wait) }
    }

    /// Returns the wait after the `attempts`-th attempt (from 1). It does not check the maximum number of attempts or
    /// the maximum age.
    pub fn wait(&self, attempts: u32, at_least: Option<Duration>, jitter: u32) -> Duration {
        let doublings = attempts.saturating_sub(1).min(20);
        let bound = self.first.saturating_mul(1 << doublings).min(self.longest);
        bound.mul_f64(f64::from(jitter) / f64::from(u32::MAX)).max(at_least.unwrap_or_default())
    }

    /// True if the `attempts`-th attempt (from 1) exceeds the maximum number of attempts. This happens if earlier
    /// attempts ended without a stored outcome, for example because the worker died.
    pub const fn is_spent(&self, attempts: u32) -> bool {
        attempts > self.attempts
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        first: Duration::from_secs(1),
        longest: Duration::from_secs(600),
        attempts: 12,
        age: Duration::from_secs(86_400),
    };

    proptest! {
        #[test]
        fn every_job_ends(jitters in proptest::collection::vec(any::<u32>(), 64), ask in 0_u64..10_000) {
            let mut age = Duration::ZERO;
            let mut attempts = 0;
            for jitter in jitters {
                attempts += 1;
                match POLICY.after(attempts, age, Some(Duration::from_secs(ask)), jitter) {
                    Next::Again(wait) => {
                        prop_assert!(wait >= Duration::from_secs(ask), "Retry-After is respected");
                        age += wait;
                        prop_assert!(age <= POLICY.age, "never beyond the maximum age");
                    }
                    Next::Enough => return Ok(()),
                }
            }
            prop_assert!(false, "retries must not go on for ever");
        }

        #[test]
        fn no_attempt_exceeds_the_maximum_however_the_last_one_ended(attempts in 0_u32..100) {
            let another = matches!(POLICY.after(attempts, Duration::ZERO, None, 0), Next::Again(_));
            prop_assert_eq!(another, !POLICY.is_spent(attempts + 1));
        }

        #[test]
        fn a_wait_stays_within_its_upper_bound(attempts in 1_u32..12, jitter: u32) {
            let Next::Again(wait) = POLICY.after(attempts, Duration::ZERO, None, jitter) else {
                return Err(TestCaseError::fail("the maximum must not be reached"));
            };
            prop_assert!(wait <= POLICY.longest);
            prop_assert!(wait <= POLICY.first * (1 << (attempts - 1)));
        }
    }
}
