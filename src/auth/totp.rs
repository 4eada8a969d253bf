//! One-time codes of an authenticator app: TOTP (RFC 6238) with HMAC-SHA-1, six digits and steps of 30 seconds, which is
//! what every app supports. The algorithm is a few lines over aws-lc-rs; a library for it would bring three hash crates.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;

use crate::domain::kernel::clock::{Instant, random_bytes};
use crate::domain::kernel::private::Private;
use crate::domain::people::staff::Username;

/// The length of a step in seconds.
const STEP: i64 = 30;
const DIGITS: u32 = 6;
/// The number of steps by which the clocks of app and server may differ.
const SKEW: i64 = 1;
/// 160 bits, as long as the output of the HMAC (RFC 4226 §4, R6).
const SECRET_LENGTH: usize = 20;

/// The secret that an officer's app and the server share.
#[derive(Debug, Clone)]
pub struct TotpSecret(Private<Vec<u8>>);

impl TotpSecret {
    #[must_use]
    pub fn fresh() -> Self {
        Self::of(random_bytes::<SECRET_LENGTH>().to_vec())
    }

    #[must_use]
    pub const fn of(bytes: Vec<u8>) -> Self {
        Self(Private::new(bytes))
    }

    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    /// The secret as an officer types it into an app that cannot read the QR code.
    #[must_use]
    pub fn base32(&self) -> String {
        BASE32_NOPAD.encode(self.expose())
    }

    /// The address that pages show as a QR code, in the form of Google Authenticator's key URI.
    #[must_use]
    pub fn uri(&self, username: &Username) -> String {
        let secret = self.base32();
        format!(
            "otpauth://totp/Songda:{username}?secret={secret}&issuer=Songda&algorithm=SHA1&digits={DIGITS}&period={STEP}"
        )
    }

    /// Returns the step to which a code belongs; `None` if the code is wrong. Only steps after `used` count, so that each
    /// code works once.
    #[must_use]
    pub fn step_of(&self, code: &str, now: Instant, used: Option<i64>) -> Option<i64> {
        let current = now.timestamp() / STEP;
        let fits = |step: &i64| {
            let expected = code_at(self.expose(), *step, DIGITS);
            verify_slices_are_equal(expected.as_bytes(), code.as_bytes()).is_ok()
        };
        (current - SKEW..=current + SKEW).filter(|step| used.is_none_or(|used| *step > used)).find(fits)
    }

    /// The code that an app shows at an instant.
    #[must_use]
    pub fn code(&self, now: Instant) -> String {
        code_at(self.expose(), now.timestamp() / STEP, DIGITS)
    }
}

/// HOTP (RFC 4226 §5.3) of a step.
fn code_at(secret: &[u8], step: i64, digits: u32) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes.last().copied().unwrap_or_default() & 0xf);
    let word = bytes.iter().skip(offset).take(4).fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
    let code = (word & 0x7fff_ffff) % 10_u32.pow(digits);
    format!("{code:0width$}", width = usize::try_from(digits).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    /// The secret of RFC 6238, Appendix B.
    const RFC: &[u8] = b"12345678901234567890";

    #[test]
    fn the_vectors_of_rfc_6238_hold() {
        for (seconds, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            assert_eq!(code_at(RFC, seconds / STEP, 8), code, "at {seconds} s");
        }
    }

    #[test]
    fn the_vectors_of_rfc_4226_hold() {
        let codes =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        for (count, code) in (0..).zip(codes) {
            assert_eq!(code_at(RFC, count, 6), code, "count {count}");
        }
    }

    #[test]
    fn a_code_works_once_and_one_step_early_or_late() {
        let now: Instant = "2026-03-02T01:00:10Z".parse().unwrap();
        let secret = TotpSecret::of(RFC.to_vec());
        let code = secret.code(now);
        let after = |seconds| now + TimeDelta::seconds(seconds);
        let step = secret.step_of(&code, now, None).unwrap();
        for (seconds, works) in [(-41, false), (-40, true), (49, true), (50, false)] {
            assert_eq!(secret.step_of(&code, after(seconds), None).is_some(), works, "{seconds} s");
        }
        assert_eq!(secret.step_of(&code, now, Some(step)), None, "again");
        assert_eq!(secret.step_of(&secret.code(after(-30)), now, Some(step)), None, "an older one afterwards");
        assert_eq!(secret.step_of(&secret.code(after(30)), now, Some(step)), Some(step + 1));
        for wrong in ["", "1", "0000000", "１２３４５６"] {
            assert_eq!(secret.step_of(wrong, now, None), None);
        }
    }

    #[test]
    fn an_app_reads_the_uri() {
        let uri = TotpSecret::of(RFC.to_vec()).uri(&"wang.fang".parse().unwrap());
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        assert_eq!(
            uri,
            format!("otpauth://totp/Songda:wang.fang?secret={secret}&issuer=Songda&algorithm=SHA1&digits=6&period=30")
        );
    }
}
