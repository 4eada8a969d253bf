//! WeChat's two kinds of access tokens. The stable interface gives every caller the same token until shortly before the
//! token expires. The classic interface issues a new token at every call, and the previous classic token then expires
//! within five minutes.

use std::sync::Mutex;

use chrono::TimeDelta;

use super::answer::Errcode;
use crate::domain::kernel::clock::{Instant, beijing_day, random_bytes};
use crate::sandbox::shards::lock;

/// The stable token is replaced this long before it expires. A replaced classic token stays valid for at most this
/// long.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);
/// If a forced refresh follows another within this time, it has no effect.
const BETWEEN_FORCED: TimeDelta = TimeDelta::seconds(30);
/// The maximum number of forced refreshes a day.
const FORCED_A_DAY: u32 = 20;

#[derive(Clone, PartialEq)]
struct Token {
    text: String,
    ends: Instant,
}

#[derive(Default)]
struct Kept {
    /// All tokens that were issued and not revoked, the oldest first.
    known: Vec<Token>,
    stable: Option<Token>,
    classic: Option<Token>,
    forced: Option<(Instant, u32)>,
}

pub(super) struct IssuedTokens {
    lifetime: TimeDelta,
    kept: Mutex<Kept>,
}

impl IssuedTokens {
    pub(super) fn new(lifetime: TimeDelta) -> Self {
        Self { lifetime, kept: Mutex::default() }
    }

    /// Returns the stable token and its remaining seconds (`/cgi-bin/stable_token`). Issues a new token if needed or
    /// forced.
    pub(super) fn stable(&self, force: bool, now: Instant) -> Result<(String, i64), Errcode> {
        let mut kept = lock(&self.kept);
        if force && kept.may_force(now)? {
            let dead = kept.stable.take();
            kept.known.retain(|token| Some(token) != dead.as_ref());
        }
        let lasting = kept.stable.clone().filter(|token| token.ends - now > OVERLAP);
        let token = lasting.unwrap_or_else(|| {
            let token = kept.issue(self.lifetime, now);
            kept.stable = Some(token.clone());
            token
        });
        Ok((token.text, (token.ends - now).num_seconds()))
    }

    /// Issues a classic token (`/cgi-bin/token`), and returns it with its lifetime in seconds. The previous classic
    /// token expires within [`OVERLAP`].
    pub(super) fn classic(&self, now: Instant) -> (String, i64) {
        let mut kept = lock(&self.kept);
        if let Some(before) = kept.classic.take()
            && let Some(known) = kept.known.iter_mut().find(|token| **token == before)
        {
            known.ends = known.ends.min(now + OVERLAP);
        }
        let token = kept.issue(self.lifetime, now);
        kept.classic = Some(token.clone());
        (token.text, self.lifetime.num_seconds())
    }

    /// Verifies the token of a call. The error is WeChat's error code.
    pub(super) fn check(&self, text: &str, now: Instant) -> Result<(), Errcode> {
        if text.is_empty() {
            return Err(41001);
        }
        match lock(&self.kept).known.iter().rev().find(|token| token.text == text) {
            Some(token) if token.ends > now => Ok(()),
            Some(_) => Err(42001),
            None => Err(40001),
        }
    }

    pub(super) fn expire(&self, now: Instant) {
        let mut kept = lock(&self.kept);
        kept.known.iter_mut().for_each(|token| token.ends = token.ends.min(now));
        kept.stable = None;
        kept.classic = None;
    }

    pub(super) fn clear(&self) {
        *lock(&self.kept) = Kept::default();
    }
}

impl Kept {
    fn issue(&mut self, lifetime: TimeDelta, now: Instant) -> Token {
        // Tokens are kept for a day after they expire, because WeChat's errors for expired and for unknown tokens
        // differ.
        self.known.retain(|token| now - token.ends < TimeDelta::days(1));
        let token = Token { text: format!("72_{}", hex::encode(random_bytes::<48>())), ends: now + lifetime };
        self.known.push(token.clone());
        token
    }

    fn may_force(&mut self, now: Instant) -> Result<bool, Errcode> {
        let today = self.forced.filter(|(last, _)| beijing_day(*last) == beijing_day(now));
        let (last, count) = today.map_or((None, 0), |(last, count)| (Some(last), count));
        if count >= FORCED_A_DAY {
            return Err(45009);
        }
        if last.is_some_and(|last| now - last < BETWEEN_FORCED) {
            return Ok(false);
        }
        self.forced = Some((now, count + 1));
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> (IssuedTokens, impl Fn(i64) -> Instant) {
        let start: Instant = "2026-01-02T00:00:00Z".parse().unwrap();
        (IssuedTokens::new(TimeDelta::hours(2)), move |seconds| start + TimeDelta::seconds(seconds))
    }

    #[test]
    fn the_stable_token_is_the_same_until_its_last_five_minutes() {
        let (tokens, at) = tokens();
        let (first, left) = tokens.stable(false, at(0)).unwrap();
        assert_eq!(left, 7200);
        assert_eq!(tokens.stable(false, at(6899)).unwrap(), (first.clone(), 301));
        let (second, left) = tokens.stable(false, at(6900)).unwrap();
        assert!(second != first && left == 7200);
        assert_eq!(tokens.check(&first, at(7199)), Ok(()), "both are good for the last five minutes");
        assert_eq!(tokens.check(&first, at(7200)), Err(42001));
        assert_eq!((tokens.check("72_x", at(0)), tokens.check("", at(0))), (Err(40001), Err(41001)));
    }

    #[test]
    fn a_forced_refresh_ends_the_token_at_once_within_limits() {
        let (tokens, at) = tokens();
        let (first, _) = tokens.stable(false, at(0)).unwrap();
        let (second, _) = tokens.stable(true, at(1)).unwrap();
        assert_eq!(tokens.check(&first, at(1)), Err(40001));
        assert_eq!(tokens.stable(true, at(30)).unwrap().0, second, "too soon after the last: nothing happens");
        for n in 1..20 {
            assert!(tokens.stable(true, at(1 + 30 * n)).is_ok());
        }
        assert_eq!(tokens.stable(true, at(700)).err(), Some(45009));
        assert!(tokens.stable(true, at(86_400)).is_ok(), "a new day");
    }

    #[test]
    fn the_classic_token_ends_soon_after_the_next_is_issued() {
        let (tokens, at) = tokens();
        let (stable, _) = tokens.stable(false, at(0)).unwrap();
        let (first, _) = tokens.classic(at(0));
        let (second, _) = tokens.classic(at(10));
        assert_eq!(tokens.check(&first, at(309)), Ok(()));
        assert_eq!(tokens.check(&first, at(310)), Err(42001));
        assert!(tokens.check(&second, at(310)).is_ok() && tokens.check(&stable, at(310)).is_ok());
    }

    #[test]
    fn all_tokens_end_on_request() {
        let (tokens, at) = tokens();
        let (first, _) = tokens.stable(false, at(0)).unwrap();
        tokens.expire(at(1));
        assert_eq!(tokens.check(&first, at(1)), Err(42001));
        assert_ne!(tokens.stable(false, at(1)).unwrap().0, first);
    }
}
