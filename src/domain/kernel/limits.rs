//! Rate limits. A limit is the maximum number of times that an action is allowed within a period. If there are several
//! limits, all of them apply.

use std::time::Duration;

use chrono::TimeDelta;

use crate::domain::kernel::clock::Instant;

/// The maximum number of actions, and the period in which they count.
pub type Limit = (usize, TimeDelta);

/// Returns how long to wait until the next action is allowed; `None` if it is allowed now. `past` lists the times of
/// earlier actions, latest first.
pub fn wait(limits: &[Limit], past: &[Instant], now: Instant) -> Option<Duration> {
    let until = |(count, window): &Limit| past.get(count - 1).map(|at| *at + *window);
    let allowed = limits.iter().filter_map(until).max()?;
    (allowed - now).to_std().ok().filter(|wait| !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: [Limit; 3] = [(1, TimeDelta::minutes(1)), (5, TimeDelta::hours(1)), (10, TimeDelta::hours(24))];

    fn now() -> Instant {
        "2026-03-02T01:00:00Z".parse().unwrap()
    }

    #[test]
    fn each_limit_applies() {
        let ago = |minutes: &[i64]| minutes.iter().map(|m| now() - TimeDelta::minutes(*m)).collect::<Vec<_>>();
        let minutes = |past: &[i64]| wait(&LIMITS, &ago(past), now()).map(|wait| wait.as_secs() / 60);
        assert_eq!(minutes(&[]), None);
        assert_eq!(minutes(&[0]), Some(1));
        assert_eq!(minutes(&[1]), None);
        assert_eq!(minutes(&[2, 4, 6, 8, 50]), Some(10), "five within the hour");
        assert_eq!(minutes(&[2, 4, 6, 8, 60]), None);
        let day: Vec<i64> = (0..10).map(|n| n * 120 + 90).collect();
        assert_eq!(minutes(&day), Some(24 * 60 - 1170), "ten within the day");
    }

    proptest! {
        #[test]
        fn no_period_holds_more_than_its_limit(gaps in proptest::collection::vec(0_i64..900, 1..60)) {
            let (mut clock, mut past): (Instant, Vec<Instant>) = (now(), vec![]);
            for gap in gaps {
                clock += TimeDelta::seconds(gap);
                if wait(&LIMITS, &past, clock).is_none() {
                    past.insert(0, clock);
                }
            }
            for at in &past {
                for (count, window) in LIMITS {
                    let within = past.iter().filter(|other| *at <= **other && **other < *at + window).count();
                    prop_assert!(within <= count);
                }
            }
        }
    }
}
