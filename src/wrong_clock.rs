//! A wrong clock, for tests of what one such process does to the others.
//!
//! `SONGDA_CLOCK_SKEW=-90` makes a development build see a clock that is ninety seconds slow. The deployed program does
//! not read it.

use crate::domain::kernel::clock::Clock;

/// The clock of this process.
#[cfg(feature = "development")]
#[must_use]
pub fn clock() -> Clock {
    let skew = std::env::var("SONGDA_CLOCK_SKEW").ok().and_then(|seconds| seconds.parse().ok());
    skew.map_or_else(Clock::system, |seconds| Clock::skewed(chrono::TimeDelta::seconds(seconds)))
}

/// The clock of this process.
#[cfg(not(feature = "development"))]
#[must_use]
pub fn clock() -> Clock {
    Clock::system()
}
