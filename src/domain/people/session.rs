//! Sessions: a sign-in until the holder signs out or the session expires, with the refresh tokens by which the client
//! stays signed in.
//!
//! A refresh token is used once, and the response contains its successor. On a weak network that response may be lost.
//! So for [`GRACE`] after its first use, a token is answered with the *same* successor again. If a used token comes
//! later than that, or after its successor was used, it must have been copied. The server does not know which holder is
//! honest, so it ends the session.
//!
//! The successor is a keyed hash of the presented token. So the server can compute the same successor again, and the
//! database needs no copy of a token: it stores only hashes.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::kernel::clock::{Instant, random_bytes};
use crate::domain::kernel::network::CallerAddress;
use crate::domain::kernel::private::Private;
use crate::domain::kernel::words::words;

/// Until this long after its first use, a refresh token is answered with the same successor again.
pub const GRACE: Duration = Duration::from_secs(30);

words! {
    /// The kind of account that a session belongs to.
    pub enum SessionAudience {
        /// Residents, on their phones.
        Mobile = "mobile",
        Staff = "staff",
    }
}

impl SessionAudience {
    /// How long a sign-in lasts, refreshed or not: 90 days on a person's own phone, 12 hours (a working day) at a desk.
    pub const fn session_life(self) -> Duration {
        const HOUR: u64 = 3600;
        Duration::from_secs(match self {
            Self::Mobile => 90 * 24 * HOUR,
            Self::Staff => 12 * HOUR,
        })
    }
}

/// The network and the browser from which an officer signs in, so that the officer recognises the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInPlace {
    /// The caller's network as CIDR; `local` if the request came over no network.
    pub network: String,
    /// The client's own name (`User-Agent`).
    pub client: Option<String>,
}

impl SignInPlace {
    /// The maximum number of characters of a client's name that are kept.
    const LONGEST_CLIENT: usize = 200;

    #[must_use]
    pub fn new(address: Option<CallerAddress>, client: Option<&str>) -> Self {
        let network = address.map_or_else(|| "local".to_owned(), |address| address.subscriber().to_string());
        let client = client.map(|name| name.chars().take(Self::LONGEST_CLIENT).collect());
        Self { network, client }
    }
}

/// A refresh token: 32 unguessable bytes, base64url.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken(Private<String>);

impl RefreshToken {
    pub fn fresh() -> Self {
        Self::of(&random_bytes::<32>())
    }

    pub fn of(bytes: &[u8]) -> Self {
        Self(Private::new(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Wraps the text that a caller presents as a token. It is not checked here.
    pub const fn presented(text: Private<String>) -> Self {
        Self(text)
    }

    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// SHA-256. The database stores only this. (A random value of 256 bits needs no slow hash.)
    pub fn hash(&self) -> Vec<u8> {
        digest(&SHA256, self.expose().as_bytes()).as_ref().to_vec()
    }
}

/// How the server answers a presented refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// The token was not used before: its successor is issued.
    First,
    /// The response was probably lost: the same successor is sent again.
    Again,
    /// The token was copied: the session ends.
    Copied,
}

impl Presented {
    /// Decides by the time of the token's first use; `None` if it was not used before. This function does not know if
    /// the successor was used. If the successor was used, the caller must treat `Again` like `Copied`.
    pub fn judge(used_at: Option<Instant>, now: Instant) -> Self {
        match used_at {
            None => Self::First,
            // If the clocks of two machines differ, the age may be negative. It then counts as zero.
            Some(used_at) if (now - used_at).to_std().unwrap_or_default() <= GRACE => Self::Again,
            Some(_) => Self::Copied,
        }
    }
}

words! {
    /// Why a session ended.
    pub enum EndedBecause {
        /// The holder signed out of this session.
        SignedOut = "signed_out",
        /// The holder signed out of all sessions.
        SignedOutEverywhere = "signed_out_everywhere",
        /// A used refresh token came again after [`GRACE`] or after its successor was used, so it was copied.
        TokenCopied = "token_copied",
        /// The account was closed.
        Disabled = "disabled",
        PasswordReset = "password_reset",
        /// The officer chose a new password in another session.
        PasswordChanged = "password_changed",
        /// An administrator removed the officer's second factor.
        SecondFactorReset = "second_factor_reset",
        /// The officer ended it from another session.
        EndedByOwner = "ended_by_owner",
        /// Its client did not refresh it for long.
        Idle = "idle",
        /// The account was merged with another account of the same person.
        Joined = "joined",
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_used_token_is_answered_again_during_the_grace_period() {
        let now: Instant = "2026-03-02T01:00:00Z".parse().unwrap();
        let used = |seconds| Presented::judge(Some(now - TimeDelta::seconds(seconds)), now);
        assert_eq!(Presented::judge(None, now), Presented::First);
        assert_eq!(used(0), Presented::Again);
        assert_eq!(used(30), Presented::Again);
        assert_eq!(used(31), Presented::Copied);
        assert_eq!(used(-5), Presented::Again);
    }

    #[test]
    fn tokens_are_long_and_debug_never_shows_them() {
        let token = RefreshToken::fresh();
        assert_eq!(token.expose().len(), 43);
        assert_ne!(token, RefreshToken::fresh());
        assert!(!format!("{token:?}").contains(token.expose()));
        assert_eq!(RefreshToken::presented(Private::new(token.expose().to_owned())).hash(), token.hash());
    }
}
