//! A circuit breaker: after several failures in a row, no calls go to a gateway for a while. Then a single trial call
//! tests whether the gateway is back.

use std::time::Duration;

/// The state of the breaker. All times are durations since a fixed moment, which the caller chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Breaker {
    /// Calls are made and answered.
    #[default]
    Closed,
    /// Calls are made, and this many in a row failed.
    Failing(u32),
    /// No calls are made until `until`. The breaker opened `times` times in a row.
    Open { until: Duration, times: u32 },
    /// One trial call is under way. The breaker opened `times` times in a row before.
    Trying { times: u32 },
}

/// The number of failures in a row that opens the breaker.
const FAILURES: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl Breaker {
    /// Returns how many of `wanted` calls may be made now, and the new state of the breaker.
    #[must_use]
    pub fn admit(self, wanted: usize, now: Duration) -> (usize, Self) {
        match self {
            Self::Closed | Self::Failing(_) => (wanted, self),
            Self::Open { until, times } if now >= until && wanted > 0 => (1, Self::Trying { times }),
            Self::Open { .. } | Self::Trying { .. } => (0, self),
        }
    }

    /// The breaker after a call that the gateway answered, with success or an error.
    #[must_use]
    pub const fn answered(self) -> Self {
        match self {
            // This is the answer to a call from before the breaker opened. It does not prove that the gateway is back.
            Self::Open { .. } => self,
            _ => Self::Closed,
        }
    }

    /// The breaker after a call that the gateway did not answer.
    #[must_use]
    pub fn failed(self, now: Duration) -> Self {
        match self {
            Self::Closed => Self::Failing(1),
            Self::Failing(failures) if failures + 1 < FAILURES => Self::Failing(failures + 1),
            Self::Failing(_) => Self::opened(1, now),
            Self::Trying { times } => Self::opened(times + 1, now),
            Self::Open { .. } => self,
        }
    }

    /// The breaker after a trial call that was permitted but not made. The next call is allowed to test the gateway at
    /// once.
    #[must_use]
    pub const fn not_tried(self) -> Self {
        match self {
            Self::Trying { times } => Self::Open { until: Duration::ZERO, times },
            _ => self,
        }
    }

    fn opened(times: u32, now: Duration) -> Self {
        let pause = FIRST_PAUSE.saturating_mul(1 << (times - 1).min(10)).min(LONGEST_PAUSE);
        Self::Open { until: now + pause, times }
    }

    /// The name of the state in metrics and heartbeats.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Closed | Self::Failing(_) => "closed",
            Self::Open { .. } => "open",
            Self::Trying { .. } => "half_open",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_opens_tries_and_closes() {
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES {
            assert_eq!(breaker.admit(5, Duration::ZERO).0, 5);
            breaker = breaker.failed(Duration::ZERO);
        }
        assert_eq!(breaker.admit(5, Duration::from_millis(999)).0, 0);
        let (admitted, trying) = breaker.admit(5, Duration::from_secs(1));
        assert_eq!((admitted, trying.admit(5, Duration::from_secs(1)).0), (1, 0), "one call is tried");
        assert_eq!(trying.answered(), Breaker::Closed);
        let again = trying.failed(Duration::from_secs(1));
        assert_eq!(again.admit(1, Duration::from_millis(2_999)).0, 0, "the second pause is longer");
        assert_eq!(again.admit(1, Duration::from_secs(3)).0, 1);
    }

    proptest! {
        #[test]
        fn a_gateway_that_is_back_is_always_found(failures in 0_u32..200) {
            let mut now = Duration::ZERO;
            let mut breaker = Breaker::default();
            for _ in 0..failures {
                let (_, after) = breaker.admit(1, now);
                breaker = after.failed(now);
                now += Duration::from_millis(100);
            }
            let (admitted, trying) = breaker.admit(1, now + LONGEST_PAUSE);
            prop_assert_eq!(admitted, 1);
            prop_assert_eq!(trying.answered(), Breaker::Closed);
        }
    }
}
