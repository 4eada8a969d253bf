//! Guesses at the passwords of officers, and how they are slowed down. A stranger must neither find a password nor keep
//! an officer out. So failures delay only the network that they come from ([`SignIns`]). Guesses from many networks are
//! counted for the account ([`BUDGET`]); beyond that, a password alone is not accepted from a network that the officer has
//! never used.

use std::time::Duration;

use chrono::TimeDelta;

use crate::domain::kernel::clock::Instant;

/// The number of failures in a row that delay nothing: people mistype.
const FREE: u32 = 5;
/// The delay after the first failure that is not free. Each further failure doubles it.
const FIRST_DELAY: Duration = Duration::from_secs(30);
const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);
/// Failures are forgotten this long after the last one.
pub const FAILURES_KEPT: TimeDelta = TimeDelta::days(1);
/// A network is known for this long after the last good sign-in from it.
pub const NETWORK_KEPT: TimeDelta = TimeDelta::days(90);

/// How many wrong passwords of one account, from all networks together, are ordinary in [`BUDGET_WINDOW`].
pub const BUDGET: i32 = 100;
/// How many wrong codes after a right password are ordinary in [`BUDGET_WINDOW`]. Beyond that, a code of the app is not
/// accepted from a network that the officer has never used; a recovery code is.
pub const CODE_BUDGET: i32 = 20;
/// The time in which the wrong passwords of an account are counted.
pub const BUDGET_WINDOW: Duration = Duration::from_secs(24 * 3600);

/// The sign-ins with one name from one network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SignIns {
    /// Failures since the last success.
    pub failures: u32,
    pub failed_at: Option<Instant>,
    pub succeeded_at: Option<Instant>,
}

impl SignIns {
    /// How long the next try must wait; `None` if it may be made now.
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        let over = self.failures.checked_sub(FREE)?;
        let delay = FIRST_DELAY.saturating_mul(1 << over.min(16)).min(LONGEST_DELAY);
        (self.failed_at? + delay - now).to_std().ok().filter(|left| !left.is_zero()).map(|left| left.min(delay))
    }

    /// Counts a try. It counts as a failure until [`Self::succeeded`], so that parallel guesses are delayed like guesses
    /// one after another.
    #[must_use]
    pub fn tried(self, now: Instant) -> Self {
        let failures = if younger(self.failed_at, FAILURES_KEPT, now) { self.failures } else { 0 };
        Self { failures: failures.saturating_add(1), failed_at: Some(now), ..self }
    }

    /// Returns the state after a good sign-in.
    #[must_use]
    pub const fn succeeded(now: Instant) -> Self {
        Self { failures: 0, failed_at: None, succeeded_at: Some(now) }
    }

    /// True if the account was signed in from this network not long ago.
    pub fn is_known(&self, now: Instant) -> bool {
        younger(self.succeeded_at, NETWORK_KEPT, now)
    }
}

fn younger(at: Option<Instant>, age: TimeDelta, now: Instant) -> bool {
    at.is_some_and(|at| now < at + age)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn start() -> Instant {
        "2026-03-02T01:00:00Z".parse().unwrap()
    }

    fn failed(times: u32) -> SignIns {
        (0..times).fold(SignIns::default(), |sign_ins, _| sign_ins.tried(start()))
    }

    #[test]
    fn the_delay_doubles_from_half_a_minute_to_a_quarter_of_an_hour() {
        let delays = [(4, 0), (5, 30), (6, 60), (7, 120), (8, 240), (9, 480), (10, 900), (11, 900), (1_000, 900)];
        for (failures, seconds) in delays {
            let wait = failed(failures).wait(start()).unwrap_or_default();
            assert_eq!(wait, Duration::from_secs(seconds), "after {failures} failures");
        }
    }

    #[test]
    fn a_network_is_known_for_ninety_days_whatever_fails_meanwhile() {
        let known = SignIns::succeeded(start()).tried(start());
        assert!(known.is_known(start() + Duration::from_secs(90 * 24 * 3600 - 1)));
        assert!(!known.is_known(start() + Duration::from_secs(90 * 24 * 3600)));
        assert!(!failed(3).is_known(start()));
    }

    proptest! {
        /// However a guesser chooses the times, a day has room for few tries.
        #[test]
        fn one_network_has_few_guesses_a_day(pauses in prop::collection::vec(0_u64..2_000, 1..2_000)) {
            let mut now = start();
            let mut sign_ins = SignIns::default();
            let mut tries = 0;
            for pause in pauses {
                now += Duration::from_secs(pause);
                if now >= start() + Duration::from_secs(24 * 3600) {
                    break;
                }
                if sign_ins.wait(now).is_none() {
                    sign_ins = sign_ins.tried(now);
                    tries += 1;
                }
            }
            prop_assert!(tries <= 5 + 5 + 96, "{tries} tries");
        }
    }
}
