//! The carriers' time format: `2025-01-02 09:10:11`, in Beijing's time, without a zone.

use chrono::{NaiveDateTime, TimeZone, Utc};

use crate::domain::kernel::clock::{Instant, beijing};

const FORM: &str = "%Y-%m-%d %H:%M:%S";

/// Parses a time. Fractions of a second are allowed. Returns `None` for a text in another format.
pub(super) fn read(text: &str) -> Option<Instant> {
    let local = NaiveDateTime::parse_from_str(text.trim(), "%Y-%m-%d %H:%M:%S%.f").ok()?;
    let at = beijing().from_local_datetime(&local).single()?;
    Some(at.with_timezone(&Utc))
}

pub(super) fn write(at: Instant) -> String {
    at.with_timezone(&beijing()).format(FORM).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beijing_is_eight_hours_ahead() {
        let at: Instant = "2025-01-01T16:00:00Z".parse().unwrap();
        assert_eq!(write(at), "2025-01-02 00:00:00");
        assert_eq!(read("2025-01-02 00:00:00"), Some(at));
        assert_eq!(read("2025-01-02 00:00:00.0"), Some(at));
        assert_eq!(read("2025-02-30 00:00:00"), None);
    }
}
