//! The only file that reads the machine's clock or its randomness (`clippy.toml` forbids the direct calls elsewhere).
//! All other code gets the time as an argument.
#![expect(clippy::disallowed_methods, reason = "this is the one file that the rule points to")]

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, TimeDelta, Timelike, Utc};
use rand::distr::{Distribution, StandardUniform};
use uuid::Uuid;

/// An instant, in UTC.
pub type Instant = DateTime<Utc>;

/// Beijing time (UTC+8, no daylight saving). Periods that the law sets are counted in days of this time zone.
pub fn beijing() -> FixedOffset {
    const EIGHT_HOURS_EAST: i32 = 8 * 3600;
    FixedOffset::east_opt(EIGHT_HOURS_EAST).unwrap_or_else(|| unreachable!("eight hours are within a day"))
}

/// The day in Beijing at an instant.
pub fn beijing_day(at: Instant) -> NaiveDate {
    at.with_timezone(&beijing()).date_naive()
}

/// The time until the next midnight in Beijing, when the daily quotas of gateways reset.
pub fn until_beijing_midnight(at: Instant) -> Duration {
    const DAY: u32 = 24 * 3600;
    let into_the_day = at.with_timezone(&beijing()).time().num_seconds_from_midnight();
    Duration::from_secs(u64::from(DAY - into_the_day))
}

/// A source of the current time. Clones share it.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Instant + Send + Sync>);

impl Clock {
    /// The machine's clock, rounded down to microseconds, because PostgreSQL stores no finer times.
    pub fn system() -> Self {
        Self(Arc::new(|| to_micros(Utc::now())))
    }

    /// The machine's clock with an offset, to act as a process with a wrong clock. Used by fault tests.
    #[cfg(feature = "development")]
    pub fn skewed(by: TimeDelta) -> Self {
        Self(Arc::new(move || to_micros(Utc::now() + by)))
    }

    /// A clock that always shows the same time.
    pub fn frozen(at: Instant) -> Self {
        Self(Arc::new(move || at))
    }

    /// A clock that reads its time from `tell`. Used by tests in which time passes.
    pub fn told(tell: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// A clock that only goes forward, even if the machine's clock is changed. For durations, not for dates.
    pub fn steady() -> Self {
        let (begun, since) = (Self::system().now(), Stopwatch::start());
        Self::told(move || begun + since.elapsed())
    }

    pub fn now(&self) -> Instant {
        (self.0)()
    }
}

/// True if an instant from another system's clock is plausible: in this century, and at most one day ahead of our
/// clock. An instant far ahead would count as the latest for ever, or could not be stored.
pub fn can_have_happened(at: Instant, now: Instant) -> bool {
    at.year() >= 2000 && at <= now + TimeDelta::days(1)
}

fn to_micros(at: Instant) -> Instant {
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}

/// A point on the monotonic clock, for measuring how long something took.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A new UUID v7, sortable by time. Its last 32 bits are random. The 42 bits before them are a counter, which starts at
/// a random number in each millisecond, so that ids of one process keep their order.
pub fn fresh_uuid() -> Uuid {
    Uuid::now_v7()
}

/// Makes a new id of any kind: `fresh(CaseId::from_uuid)`.
pub fn fresh<I>(make: impl FnOnce(Uuid) -> I) -> I {
    make(fresh_uuid())
}

/// Unguessable bytes, for secrets.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(clippy::expect_used, reason = "without randomness no secret may be made")]
    SystemRandom::new().fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

/// A random number for ids of requests and traces, which are not secrets. It comes from a generator inside the process,
/// which seldom calls the operating system.
pub fn random_number<N>() -> N
where
    StandardUniform: Distribution<N>,
{
    rand::random()
}

/// A random number in `0..below`, distributed evenly enough for jitter and one-time codes.
pub fn random_below(below: u64) -> u64 {
    let wide = u128::from(u64::from_le_bytes(random_bytes())) * u128::from(below);
    (wide >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_in_beijing_begins_at_sixteen_o_clock_utc() {
        let late: Instant = "2026-01-01T15:59:59Z".parse().unwrap();
        assert_eq!(beijing_day(late).to_string(), "2026-01-01");
        assert_eq!(beijing_day(late + TimeDelta::seconds(1)).to_string(), "2026-01-02");
    }

    #[test]
    fn the_next_midnight_in_beijing_is_never_the_current_instant() {
        let last_second: Instant = "2026-01-01T15:59:59Z".parse().unwrap();
        assert_eq!(until_beijing_midnight(last_second), Duration::from_secs(1));
        assert_eq!(until_beijing_midnight(last_second + TimeDelta::seconds(1)), Duration::from_secs(86_400));
    }

    #[test]
    fn a_foreign_clock_may_be_at_most_one_day_ahead() {
        let now: Instant = "2026-01-01T00:00:00Z".parse().unwrap();
        let can = |text: &str| can_have_happened(text.parse().unwrap(), now);
        assert!(can("2026-01-01T23:59:59Z") && can("2000-01-01T00:00:00Z"));
        assert!(!can("2026-01-02T00:00:01Z") && !can("9999-12-31T23:59:59Z") && !can("1970-01-01T00:00:00Z"));
        assert!(!can_have_happened(Instant::MIN_UTC, now) && !can_have_happened(Instant::MAX_UTC, now));
    }

    #[test]
    fn random_numbers_stay_below_their_bound() {
        assert!((0..1000).all(|_| random_below(7) < 7));
        assert_eq!(random_below(1), 0);
    }
}
