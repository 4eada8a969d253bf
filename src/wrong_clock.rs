//! A process whose clock is wrong, for tests of what that does to the others.
//!
//! `SONGDA_CLOCK_SKEW=-90` makes a development build see a clock that is ninety seconds slow. The deployed program does not
//! read it.

use crate::domain::kernel::clock::Clock;

/// What tells this process the time.
#[cfg(feature = "development")]
#[must_use]
pub fn clock() -> Clock {
    let skew = std::env::var("SONGDA_CLOCK_SKEW").ok().and_then(|seconds| seconds.parse().ok());
    skew.map_or_else(Clock::system, |seconds| Clock::skewed(chrono::TimeDelta::seconds(seconds)))
}

/// What tells this process the time.
#[cfg(not(feature = "development"))]
#[must_use]
pub fn clock() -> Clock {
    Clock::system()
}
