//! One-time codes: how long they count, how often they may be guessed, and how often one is sent to a number.

use std::time::Duration;

use chrono::TimeDelta;

use super::clock::{Instant, random_below};
use super::private::Private;

/// For how long a code counts.
pub const LIFE: TimeDelta = TimeDelta::minutes(10);

/// How many codes may be entered against one that was sent.
pub const TRIES: i32 = 5;

/// So many codes to one number within so long; the carriers' own limits for codes.
const LIMITS: [(usize, TimeDelta); 3] =
    [(1, TimeDelta::minutes(1)), (5, TimeDelta::hours(1)), (10, TimeDelta::hours(24))];

/// How far back codes count towards a limit.
pub const MEMORY: TimeDelta = TimeDelta::hours(24);

/// Six digits.
#[must_use]
pub fn fresh_code() -> Private<String> {
    Private::new(format!("{:06}", random_below(1_000_000)))
}

/// How long a number must wait for its next code, if it must. `made` are the times of earlier ones, latest first.
#[must_use]
pub fn wait(made: &[Instant], now: Instant) -> Option<Duration> {
    let until = |(count, window): (usize, TimeDelta)| made.get(count - 1).map(|at| *at + window);
    let allowed = LIMITS.into_iter().filter_map(until).max()?;
    (allowed - now).to_std().ok().filter(|wait| !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Instant {
        "2026-03-02T01:00:00Z".parse().unwrap()
    }

    #[test]
    fn each_limit_is_kept() {
        let ago = |minutes: &[i64]| minutes.iter().map(|m| now() - TimeDelta::minutes(*m)).collect::<Vec<_>>();
        let minutes = |made: &[i64]| wait(&ago(made), now()).map(|wait| wait.as_secs() / 60);
        assert_eq!(minutes(&[]), None);
        assert_eq!(minutes(&[0]), Some(1));
        assert_eq!(minutes(&[1]), None);
        assert_eq!(minutes(&[2, 4, 6, 8, 50]), Some(10), "five within the hour");
        assert_eq!(minutes(&[2, 4, 6, 8, 60]), None);
        let day: Vec<i64> = (0..10).map(|n| n * 120 + 90).collect();
        assert_eq!(minutes(&day), Some(24 * 60 - 1170), "ten within the day");
    }

    #[test]
    fn a_code_has_six_digits() {
        for _ in 0..50 {
            let code = fresh_code();
            assert!(code.expose().len() == 6 && code.expose().bytes().all(|b| b.is_ascii_digit()));
        }
    }

    proptest! {
        #[test]
        fn no_hour_sees_more_than_five(gaps in proptest::collection::vec(0_i64..900, 1..60)) {
            let (mut clock, mut made): (Instant, Vec<Instant>) = (now(), vec![]);
            for gap in gaps {
                clock += TimeDelta::seconds(gap);
                if wait(&made, clock).is_none() {
                    made.insert(0, clock);
                }
            }
            for at in &made {
                let within = |window| made.iter().filter(|other| *at <= **other && **other < *at + window).count();
                prop_assert!(within(TimeDelta::minutes(1)) <= 1);
                prop_assert!(within(TimeDelta::hours(1)) <= 5);
                prop_assert!(within(TimeDelta::hours(24)) <= 10);
            }
        }
    }
}
