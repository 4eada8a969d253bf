//! Sessions: a sign-in that lives until it is signed out, and the refresh tokens that keep it alive.
//!
//! A refresh token is used once and answered with its successor. On a weak network that answer may be lost, so for
//! [`GRACE`] the used token is answered with the *same* successor again, unless that was used itself: then its answer was
//! not lost. A used token that comes back for no such reason was copied: nobody can tell who holds the honest copy, so the
//! whole session ends.
//!
//! A successor follows from its token by a keyed hash, so that nothing needs to be kept from which one could be made.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::kernel::clock::{Instant, random_bytes};
use crate::domain::kernel::private::Private;

/// For how long a used refresh token is answered with its successor again.
pub const GRACE: Duration = Duration::from_secs(30);

/// Who may use a session's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// People, on their phones.
    Mobile,
    Staff,
}

impl Audience {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Staff => "staff",
        }
    }

    /// For how long a sign-in lasts, refreshed or not: a season on a person's own phone, a working day at a desk.
    #[must_use]
    pub const fn session_life(self) -> Duration {
        const HOUR: u64 = 3600;
        Duration::from_secs(match self {
            Self::Mobile => 90 * 24 * HOUR,
            Self::Staff => 12 * HOUR,
        })
    }
}

/// A refresh token: 32 bytes that nobody can guess, base64url.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken(Private<String>);

impl RefreshToken {
    /// A fresh one.
    #[must_use]
    pub fn fresh() -> Self {
        Self::of(&random_bytes::<32>())
    }

    /// The one that these bytes make.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Private::new(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// What somebody presents as one.
    #[must_use]
    pub const fn presented(text: Private<String>) -> Self {
        Self(text)
    }

    /// The text that its holder keeps.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// SHA-256: all that is kept of it. (A random value of 256 bits needs no slow hash.)
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        digest(&SHA256, self.expose().as_bytes()).as_ref().to_vec()
    }
}

/// What a presented refresh token deserves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// Its first use: a successor is made.
    First,
    /// Its answer was lost: the same successor again.
    Again,
    /// It was copied: the session ends.
    Copied,
}

impl Presented {
    /// Judges by when the token was used before.
    #[must_use]
    pub fn judge(used_at: Option<Instant>, now: Instant) -> Self {
        match used_at {
            None => Self::First,
            // A clock that stepped back between two machines makes the age negative: it is recent.
            Some(used_at) if (now - used_at).to_std().unwrap_or_default() <= GRACE => Self::Again,
            Some(_) => Self::Copied,
        }
    }
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBecause {
    /// Its holder signed out of it.
    SignedOut,
    /// Its holder signed out everywhere.
    SignedOutEverywhere,
    /// A refresh token of it was used a second time.
    TokenCopied,
    /// The account was closed.
    Disabled,
    /// The account's password was set anew.
    PasswordReset,
    /// The account was joined with another one of the same person.
    Joined,
}

impl EndedBecause {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::SignedOutEverywhere => "signed_out_everywhere",
            Self::TokenCopied => "token_copied",
            Self::Disabled => "disabled",
            Self::PasswordReset => "password_reset",
            Self::Joined => "joined",
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_used_token_is_forgiven_for_a_while() {
        let now: Instant = "2026-03-02T01:00:00Z".parse().unwrap();
        let used = |seconds| Presented::judge(Some(now - TimeDelta::seconds(seconds)), now);
        assert_eq!(Presented::judge(None, now), Presented::First);
        assert_eq!(used(0), Presented::Again);
        assert_eq!(used(30), Presented::Again);
        assert_eq!(used(31), Presented::Copied);
        assert_eq!(used(-5), Presented::Again);
    }

    #[test]
    fn tokens_are_long_and_never_shown() {
        let token = RefreshToken::fresh();
        assert_eq!(token.expose().len(), 43);
        assert_ne!(token, RefreshToken::fresh());
        assert!(!format!("{token:?}").contains(token.expose()));
        assert_eq!(RefreshToken::presented(Private::new(token.expose().to_owned())).hash(), token.hash());
    }
}
