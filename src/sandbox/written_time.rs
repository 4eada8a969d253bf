//! Formats times as the gateways do: in Beijing's time, without a zone.

use crate::domain::kernel::clock::{Instant, beijing};

/// Formats a time as `2026-01-02 09:10:11`.
pub fn second(at: Instant) -> String {
    at.with_timezone(&beijing()).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// Formats the day of a time as `20260102`.
pub fn day(at: Instant) -> String {
    at.with_timezone(&beijing()).format("%Y%m%d").to_string()
}
