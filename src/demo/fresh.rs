//! Makes up keys, phone numbers and resident IDs that this process has not used before.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::kernel::clock::{random_below, random_bytes};
use crate::domain::people::identity::resident_check;

/// A random key: for `Idempotency-Key`, `jti` and the names of new people.
pub fn fresh_key() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<12>()).replace(['-', '_'], "x")
}

/// A mobile number, unique within this process. Only the first number is random, and the next ones count up from it. If
/// each number were random, a thousand of them would contain two equal ones in one of two hundred runs.
pub fn fresh_phone() -> String {
    const ALL: u64 = 100_000_000;
    static FIRST: LazyLock<u64> = LazyLock::new(|| random_below(ALL));
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("139{:08}", (*FIRST + NEXT.fetch_add(1, Ordering::Relaxed)) % ALL)
}

/// A synthetic resident ID (公民身份号码) with its check character (GB 11643), unique within this process.
pub fn fresh_resident_id() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let day = number / 999 % 28 + 1;
    let order = number % 999 + 1;
    let digits = format!("320413198506{day:02}{order:03}");
    format!("{digits}{}", resident_check(&digits))
}
