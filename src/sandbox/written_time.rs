//! Times as the gateways write them: in Beijing's time, without a zone.

use crate::domain::kernel::clock::{Instant, beijing};

/// `2026-01-02 09:10:11`
pub fn second(at: Instant) -> String {
    at.with_timezone(&beijing()).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// `20260102`
pub fn day(at: Instant) -> String {
    at.with_timezone(&beijing()).format("%Y%m%d").to_string()
}
