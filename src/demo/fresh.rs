//! Made-up keys and people that were never used before.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::kernel::clock::{random_below, random_bytes};

/// A random key: for `Idempotency-Key`, `jti` and the names of new people.
#[must_use]
pub fn fresh_key() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<12>()).replace(['-', '_'], "x")
}

/// A mobile number, unique within this process. Only the first is random: among a thousand random numbers, two would be equal in
/// one of two hundred runs.
#[must_use]
pub fn fresh_phone() -> String {
    const ALL: u64 = 100_000_000;
    static FIRST: LazyLock<u64> = LazyLock::new(|| random_below(ALL));
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("139{:08}", (*FIRST + NEXT.fetch_add(1, Ordering::Relaxed)) % ALL)
}

/// A synthetic 公民身份号码 with its check character (GB 11643), unique within this process.
#[must_use]
pub fn fresh_resident_id() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    const WEIGHTS: [usize; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let day = number / 999 % 28 + 1;
    let order = number % 999 + 1;
    let digits = format!("320413198506{day:02}{order:03}");
    let sum: usize = digits.bytes().zip(WEIGHTS).map(|(digit, weight)| usize::from(digit - b'0') * weight).sum();
    let check = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'][sum % 11];
    format!("{digits}{check}")
}
