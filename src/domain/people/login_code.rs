//! One-time codes: how long they count, how often they may be guessed, and how often one is sent to a number.

use chrono::TimeDelta;

use crate::domain::kernel::clock::random_below;
use crate::domain::kernel::limits::Limit;
use crate::domain::kernel::private::Private;

/// For how long a code counts.
pub const LIFE: TimeDelta = TimeDelta::minutes(10);

/// How many codes may be entered against one that was sent.
pub const TRIES: i32 = 5;

/// How many codes go to one number; the carriers' own limits for codes.
pub const LIMITS: [Limit; 3] = [(1, TimeDelta::minutes(1)), (5, TimeDelta::hours(1)), (10, TimeDelta::hours(24))];

/// How far back codes count towards a limit.
pub const MEMORY: TimeDelta = TimeDelta::hours(24);

/// Six digits.
#[must_use]
pub fn fresh_code() -> Private<String> {
    Private::new(format!("{:06}", random_below(1_000_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_six_digits() {
        for _ in 0..50 {
            let code = fresh_code();
            assert!(code.expose().len() == 6 && code.expose().bytes().all(|b| b.is_ascii_digit()));
        }
    }
}
