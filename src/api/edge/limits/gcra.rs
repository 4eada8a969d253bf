//! The generic cell rate algorithm (GCRA, ITU-T I.371). It stores one instant per caller: the time at which the
//! caller's quota is full again. A request moves this instant forward by the window divided by the quota. A request is
//! refused if the instant would then be more than one window in the future. [`crate::queue`] runs the same algorithm in
//! Redis for all processes together.

use std::time::Duration;

use crate::domain::kernel::clock::Instant;

/// A quota of requests per window. A caller can use the whole quota in one burst.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RatePolicy {
    /// The name of the policy in the rate-limit headers.
    pub name: &'static str,
    pub quota: u32,
    /// The time in which a used-up quota becomes full again.
    pub window: Duration,
}

impl RatePolicy {
    /// The time in which the quota for one request comes back: the window divided by the quota.
    pub fn each(&self) -> Duration {
        (self.window / self.quota.max(1)).max(Duration::from_nanos(1))
    }

    /// Builds the decision on a request of a caller whose quota is full again after `full_in`.
    pub fn decision(&self, allowed: bool, full_in: Duration) -> RateDecision {
        let left = self.window.saturating_sub(full_in).as_nanos() / self.each().as_nanos();
        RateDecision {
            allowed,
            remaining: u32::try_from(left).unwrap_or(u32::MAX).min(self.quota.max(1)),
            full_in,
            next_in: (full_in + self.each()).saturating_sub(self.window),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateDecision {
    pub allowed: bool,
    /// The number of requests that are still allowed now.
    pub remaining: u32,
    /// The time until the quota is full again.
    pub full_in: Duration,
    /// The time until the next request is allowed; zero if it is allowed now.
    pub next_in: Duration,
}

/// The rate-limit state of one caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gcra {
    /// The time at which the quota is full again: the algorithm's "theoretical arrival time".
    full_at: Instant,
}

impl Gcra {
    pub const fn full_at(time: Instant) -> Self {
        Self { full_at: time }
    }

    /// Decides on a request, and counts it if it is allowed.
    pub fn take(&mut self, policy: &RatePolicy, now: Instant) -> RateDecision {
        let each = policy.each();
        let missing = (self.full_at - now).to_std().unwrap_or_default();
        let allowed = missing + each <= policy.window.max(each);
        let missing = if allowed { missing + each } else { missing };
        if allowed {
            self.full_at = now + missing;
        }
        policy.decision(allowed, missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use proptest::prelude::*;

    fn start() -> Instant {
        "2026-11-23T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_burst_uses_the_quota_and_time_restores_it() {
        let policy = RatePolicy { name: "t", quota: 3, window: Duration::from_secs(3) };
        let mut caller = Gcra::full_at(start());
        let taken: Vec<_> = (0..4).map(|_| caller.take(&policy, start())).map(|t| (t.allowed, t.remaining)).collect();
        assert_eq!(taken, [(true, 2), (true, 1), (true, 0), (false, 0)]);
        let refused = caller.take(&policy, start());
        assert_eq!((refused.next_in, refused.full_in), (Duration::from_secs(1), Duration::from_secs(3)));
        assert!(caller.take(&policy, start() + refused.next_in).allowed);
        assert_eq!(caller.take(&policy, start() + TimeDelta::hours(1)).remaining, 2, "at most the quota comes back");
    }

    proptest! {
        #[test]
        fn no_window_allows_more_than_two_quotas(quota in 1u32..20, gaps in prop::collection::vec(0i64..2_000, 1..200)) {
            let policy = RatePolicy { name: "t", quota, window: Duration::from_secs(5) };
            let mut caller = Gcra::full_at(start());
            let mut now = start();
            let mut passed = Vec::new();
            for gap in gaps {
                now += TimeDelta::milliseconds(gap);
                let taken = caller.take(&policy, now);
                prop_assert!(taken.remaining <= quota && taken.full_in <= policy.window);
                if taken.allowed {
                    prop_assert!(taken.remaining < quota);
                    passed.push(now);
                } else {
                    prop_assert!({ caller }.take(&policy, now + taken.next_in).allowed, "the next request is allowed after next_in");
                }
            }
            for from in &passed {
                let within = passed.iter().filter(|at| *at >= from && **at < *from + policy.window).count();
                prop_assert!(within <= 2 * quota as usize);
            }
        }
    }
}
