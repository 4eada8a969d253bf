//! Gives a process a wrong clock, to test how it affects the other processes. `SONGDA_CLOCK_SKEW=-90` makes the clock
//! of a development build ninety seconds slow. The deployed program does not read this variable.

use crate::domain::kernel::clock::Clock;

/// The clock of this process, shifted by `SONGDA_CLOCK_SKEW` seconds.
#[cfg(feature = "development")]
pub fn clock() -> Clock {
    let skew = std::env::var("SONGDA_CLOCK_SKEW").ok().and_then(|seconds| seconds.parse().ok());
    skew.map_or_else(Clock::system, |seconds| Clock::skewed(chrono::TimeDelta::seconds(seconds)))
}

#[cfg(not(feature = "development"))]
pub fn clock() -> Clock {
    Clock::system()
}
