//! One-time codes: how long they are valid, how many guesses are allowed, and how often one is sent to a number.

use chrono::TimeDelta;

use crate::domain::kernel::clock::random_below;
use crate::domain::kernel::limits::Limit;
use crate::domain::kernel::network::{CallerAddress, Network};
use crate::domain::kernel::private::Private;

/// How long a code is valid.
pub const LIFE: TimeDelta = TimeDelta::minutes(10);

/// How many guesses at one code are allowed from one network.
pub const TRIES: i32 = 5;

/// How many guesses at one code are allowed from all networks together except the one that asked for the code. A stranger
/// with many networks then has a chance of one in fifty thousand, and cannot use up the tries of the person who asked.
pub const OTHER_TRIES: i32 = 20;

/// The maximum number of codes sent to one number, by period. SMS services apply the same limits to codes.
pub const LIMITS: [Limit; 3] = [(1, TimeDelta::minutes(1)), (5, TimeDelta::hours(1)), (10, TimeDelta::hours(24))];

/// A code counts towards the limits until this long after it was sent.
pub const MEMORY: TimeDelta = TimeDelta::hours(24);

/// The network by which tries are counted: a /24 of IPv4, or a /48 of IPv6. A phone changes its address within one more
/// often than it changes the network.
pub fn network(address: CallerAddress) -> Network {
    address.network(24, 48)
}

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
