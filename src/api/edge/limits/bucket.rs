//! The token bucket: a pure value that time fills and requests empty.

use std::time::Duration;

use crate::domain::kernel::clock::Instant;

/// So many requests in so long a time; a burst may use all of them at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// As the headers name it.
    pub name: &'static str,
    /// Requests.
    pub quota: u32,
    /// Time in which the quota comes back.
    pub window: Duration,
}

impl Policy {
    /// How much of the window one request takes.
    #[must_use]
    pub fn each(&self) -> Duration {
        (self.window / self.quota.max(1)).max(Duration::from_nanos(1))
    }

    /// What a caller is told whose bucket is full again after so long.
    #[must_use]
    pub fn taken(&self, allowed: bool, full_in: Duration) -> Taken {
        let left = self.window.saturating_sub(full_in).as_nanos() / self.each().as_nanos();
        Taken {
            allowed,
            remaining: u32::try_from(left).unwrap_or(u32::MAX).min(self.quota.max(1)),
            full_in,
            next_in: (full_in + self.each()).saturating_sub(self.window),
        }
    }
}

/// What came of asking a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Whether the request may go on.
    pub allowed: bool,
    /// How many more may follow at once.
    pub remaining: u32,
    /// When the bucket is full again.
    pub full_in: Duration,
    /// When the next request may come, if this one may not go on.
    pub next_in: Duration,
}

/// A bucket of one caller. Its content is counted as time: how long ago it would have been empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// When it is full again.
    full_at: Instant,
}

impl Bucket {
    /// One that is full, or will be, at this time.
    #[must_use]
    pub const fn full_at(time: Instant) -> Self {
        Self { full_at: time }
    }

    /// Takes one request out, if there is one.
    pub fn take(&mut self, policy: &Policy, now: Instant) -> Taken {
        let each = policy.each();
        let missing = (self.full_at - now).to_std().unwrap_or_default();
        let allowed = missing + each <= policy.window.max(each);
        let missing = if allowed { missing + each } else { missing };
        if allowed {
            self.full_at = now + missing;
        }
        policy.taken(allowed, missing)
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
    fn a_burst_empties_it_and_time_fills_it() {
        let policy = Policy { name: "t", quota: 3, window: Duration::from_secs(3) };
        let mut bucket = Bucket::full_at(start());
        let taken: Vec<_> = (0..4).map(|_| bucket.take(&policy, start())).map(|t| (t.allowed, t.remaining)).collect();
        assert_eq!(taken, [(true, 2), (true, 1), (true, 0), (false, 0)]);
        let refused = bucket.take(&policy, start());
        assert_eq!((refused.next_in, refused.full_in), (Duration::from_secs(1), Duration::from_secs(3)));
        assert!(bucket.take(&policy, start() + refused.next_in).allowed);
        assert_eq!(
            bucket.take(&policy, start() + TimeDelta::hours(1)).remaining,
            2,
            "it never holds more than its quota"
        );
    }

    proptest! {
        #[test]
        fn no_window_lets_more_than_two_quotas_through(quota in 1u32..20, gaps in prop::collection::vec(0i64..2_000, 1..200)) {
            let policy = Policy { name: "t", quota, window: Duration::from_secs(5) };
            let (mut bucket, mut now, mut passed) = (Bucket::full_at(start()), start(), Vec::new());
            for gap in gaps {
                now += TimeDelta::milliseconds(gap);
                let taken = bucket.take(&policy, now);
                prop_assert!(taken.remaining <= quota && taken.full_in <= policy.window);
                if taken.allowed {
                    prop_assert!(taken.remaining < quota);
                    passed.push(now);
                } else {
                    prop_assert!(bucket.clone().take(&policy, now + taken.next_in).allowed, "next_in is honest");
                }
            }
            for from in &passed {
                let within = passed.iter().filter(|at| *at >= from && **at < *from + policy.window).count();
                prop_assert!(within <= 2 * quota as usize);
            }
        }
    }
}
