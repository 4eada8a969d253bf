//! One-time codes: how long they are valid, how many guesses are allowed, and how often one is sent to a number.

use chrono::TimeDelta;

use crate::domain::kernel::clock::random_below;
use crate::domain::kernel::limits::Limit;
use crate::domain::kernel::private::Private;

/// How long a code is valid.
pub const LIFE: TimeDelta = TimeDelta::minutes(10);

/// How many guesses are allowed for one code.
pub const TRIES: i32 = 5;

/// The maximum number of codes sent to one number, by period. SMS services apply the same limits to codes.
pub const LIMITS: [Limit; 3] = [(1, TimeDelta::minutes(1)), (5, TimeDelta::hours(1)), (10, TimeDelta::hours(24))];

/// A code counts towards the limits until this long after it was sent.
pub const MEMORY: TimeDelta = TimeDelta::hours(24);

/// A random code of six digits.
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
