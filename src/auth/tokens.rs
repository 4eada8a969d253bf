//! Access tokens: ES256 JWTs that are valid for fifteen minutes (RFC 7519, after the profile of RFC 9068). Each kind of
//! caller has its own audience, so that the staff API refuses a resident's token.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::auth::signing_keys::{SigningKey, SigningKeys};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::SessionId;
use crate::domain::kernel::words::words;

/// How long an access token lives.
pub const LIFETIME: Duration = Duration::from_secs(15 * 60);
/// The tolerated difference, in seconds, between the clock of the machine that issued a token and ours. A token is
/// accepted this long before its time of issue and this long after its time of expiry.
const LEEWAY_SECONDS: i64 = 30;
const ISSUER: &str = "songda";
/// The longest life of a token that is accepted, in seconds. A longer one was not issued by this program.
const LONGEST_LIFE: i64 = LIFETIME.as_secs().cast_signed() + 60;
/// The type in the header of an access token (RFC 9068 §2.1). It tells access tokens from everything else that the keys
/// may sign.
const TYPE: &str = "at+jwt";

words! {
    /// The `aud` claim: the APIs that accept a token.
    pub enum TokenAudience {
        Mobile = "songda:mobile",
        /// Officers' tokens, for the staff and operators' APIs.
        Staff = "songda:staff",
        Integration = "songda:integration",
    }
}

/// Songda's own claims in a token, in addition to the standard claims.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Grant {
    /// The session that the token belongs to. Tokens of back-office clients have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    /// The scopes of a back-office client, separated by spaces (RFC 8693 §4.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The code of an officer's agency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agency: Option<String>,
    /// An officer's role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    /// The id of the person, officer or client.
    pub sub: String,
    pub aud: String,
    /// The time of issue (seconds since 1970).
    pub iat: i64,
    /// The time of expiry (seconds since 1970).
    pub exp: i64,
    #[serde(flatten)]
    pub grant: Grant,
}

/// Why a token is refused, or cannot be issued. If a token is refused, the caller of the API learns only that it is not
/// valid.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The token is not signed by one of our keys, not for this audience, or not a token at all.
    #[error("the token is not valid")]
    Invalid(#[source] jsonwebtoken::errors::Error),
    #[error("the token's key is not in the ring")]
    UnknownKey,
    /// The token's header names another type than [`TYPE`].
    #[error("the token is not an access token")]
    WrongType,
    /// The token would be valid for longer than any that we issue.
    #[error("the token is valid for too long")]
    TooLong,
    /// The token has expired, or was issued in the future.
    #[error("the token is not valid at this time")]
    Expired,
    #[error("the token cannot be signed")]
    Unsigned(#[source] jsonwebtoken::errors::Error),
}

/// The maximum number of entries in the cache of tokens with a valid signature. A full cache takes about a megabyte of
/// memory.
const REMEMBERED: usize = 4096;

/// The SHA-256 of a token. The cache contains these hashes instead of the tokens.
type Fingerprint = [u8; 32];

/// Issues and verifies access tokens. Cloning shares the keys and the cache.
#[derive(Clone)]
pub struct Tokens {
    keys: SigningKeys,
    /// A cache of tokens with a valid signature, because checking a signature costs more than the rest of a small
    /// request. The times of a token, and whether its key is still in the ring, are checked for each request.
    signed: Arc<Cache<Fingerprint, Signed>>,
}

/// A token with a valid signature.
#[derive(Clone)]
struct Signed {
    claims: Arc<Claims>,
    kid: Arc<str>,
    key: Arc<SigningKey>,
}

impl Tokens {
    pub fn new(keys: SigningKeys) -> Self {
        Self { keys, signed: Arc::new(Cache::new(REMEMBERED)) }
    }

    pub fn issue(
        &self,
        subject: impl ToString,
        audience: TokenAudience,
        grant: Grant,
        now: Instant,
    ) -> Result<String, TokenError> {
        let iat = now.timestamp();
        let exp = iat.saturating_add_unsigned(LIFETIME.as_secs());
        let iss = ISSUER.to_owned();
        let aud = audience.as_str().to_owned();
        let claims = Claims { iss, sub: subject.to_string(), aud, iat, exp, grant };
        let (kid, key) = self.keys.signer(now).ok_or(TokenError::UnknownKey)?;
        let header = Header { typ: Some(TYPE.to_owned()), kid: Some(kid), ..Header::new(Algorithm::ES256) };
        encode(&header, &claims, &key.signs).map_err(TokenError::Unsigned)
    }

    /// Returns the claims of a token. Refuses the token unless we signed it, one of these audiences is its audience,
    /// and it is valid at the time `now`.
    pub fn verify(&self, token: &str, audiences: &[TokenAudience], now: Instant) -> Result<Arc<Claims>, TokenError> {
        let claims = self.signed_by_us(token)?;
        if !audiences.iter().any(|audience| audience.as_str() == claims.aud) {
            return Err(TokenError::Invalid(ErrorKind::InvalidAudience.into()));
        }
        let now = now.timestamp();
        let is_time =
            claims.iat.saturating_sub(LEEWAY_SECONDS) <= now && now < claims.exp.saturating_add(LEEWAY_SECONDS);
        if is_time { Ok(claims) } else { Err(TokenError::Expired) }
    }

    /// Returns the claims of a token that we signed by a key of the ring. Does not check if the token is valid now.
    fn signed_by_us(&self, token: &str) -> Result<Arc<Claims>, TokenError> {
        let fingerprint = fingerprint(token);
        if let Some(Signed { claims, kid, key }) = self.signed.get(&fingerprint) {
            if self.keys.holds(&kid, &key) {
                return Ok(claims);
            }
            self.signed.remove(&fingerprint);
        }
        let signed = self.check_signature(token)?;
        let claims = Arc::clone(&signed.claims);
        self.signed.insert(fingerprint, signed);
        Ok(claims)
    }

    fn check_signature(&self, token: &str) -> Result<Signed, TokenError> {
        let header = decode_header(token).map_err(TokenError::Invalid)?;
        if !header.typ.is_some_and(|typ| typ.eq_ignore_ascii_case(TYPE)) {
            return Err(TokenError::WrongType);
        }
        let kid = header.kid.ok_or(TokenError::UnknownKey)?;
        let key = self.keys.find(&kid).ok_or(TokenError::UnknownKey)?;
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&TokenAudience::ALL.map(TokenAudience::as_str));
        rules.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        rules.validate_exp = false; // The library uses the machine's clock; `verify` uses ours.
        let claims = decode::<Claims>(token, &key.verifies, &rules).map_err(TokenError::Invalid)?.claims;
        if claims.exp.saturating_sub(claims.iat) > LONGEST_LIFE {
            return Err(TokenError::TooLong);
        }
        Ok(Signed { claims: Arc::new(claims), kid: kid.into(), key })
    }

    /// The public keys, with which other services can verify tokens.
    pub fn jwks(&self) -> Value {
        self.keys.jwks()
    }
}

fn fingerprint(token: &str) -> Fingerprint {
    let mut fingerprint = Fingerprint::default();
    fingerprint.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    fingerprint
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::kernel::clock::fresh_uuid;
    use crate::domain::kernel::private::Private;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use chrono::TimeDelta;
    use serde_json::json;

    const AUDIENCE: TokenAudience = TokenAudience::Mobile;

    fn now() -> Instant {
        "2026-11-23T08:00:00Z".parse().unwrap()
    }

    fn pem() -> Private<String> {
        SigningKeys::fresh_pem().unwrap()
    }

    fn tokens(pems: &[(&str, &Private<String>)]) -> Tokens {
        Tokens::new(SigningKeys::of(pems.iter().map(|(kid, pem)| ((*kid).to_owned(), (*pem).clone()))).unwrap())
    }

    fn issue(tokens: &Tokens) -> String {
        tokens.issue("per_1", AUDIENCE, Grant::default(), now()).unwrap()
    }

    fn claims(life: i64) -> Value {
        let iat = now().timestamp();
        json!({ "iss": ISSUER, "sub": "per_1", "aud": AUDIENCE.as_str(), "iat": iat, "exp": iat + life })
    }

    /// Signs claims with the key `a`, under a header of this type.
    fn sign(tokens: &Tokens, typ: &str, claims: &Value) -> String {
        let header = Header { typ: Some(typ.to_owned()), kid: Some("a".to_owned()), ..Header::new(Algorithm::ES256) };
        encode(&header, claims, &tokens.keys.signer(now()).unwrap().1.signs).unwrap()
    }

    #[test]
    fn a_token_is_accepted_for_its_audience_until_it_expires() {
        let tokens = tokens(&[("a", &pem())]);
        let grant = Grant { scope: Some("results:write".to_owned()), ..Grant::default() };
        let token = tokens.issue("cli_1", TokenAudience::Integration, grant.clone(), now()).unwrap();
        let read = |audience, at| tokens.verify(&token, &[audience], at);
        let claims = read(TokenAudience::Integration, now()).unwrap();
        assert_eq!((claims.sub.as_str(), &claims.grant), ("cli_1", &grant));
        assert_eq!(claims.exp - claims.iat, 900);
        assert!(matches!(read(TokenAudience::Mobile, now()), Err(TokenError::Invalid(_))));
        assert!(read(TokenAudience::Integration, now() + TimeDelta::seconds(929)).is_ok(), "within the leeway");
        for wrong in [930, -31] {
            let read = read(TokenAudience::Integration, now() + TimeDelta::seconds(wrong));
            assert!(matches!(read, Err(TokenError::Expired)), "{wrong}");
        }
    }

    #[test]
    fn after_a_rotation_the_new_key_signs_and_the_old_one_verifies() {
        let old = pem();
        let new = pem();
        let before = tokens(&[("2026-01", &old)]);
        let after = tokens(&[("2026-01", &old), ("2026-11", &new)]);
        assert!(after.verify(&issue(&before), &[AUDIENCE], now()).is_ok());
        assert!(matches!(before.verify(&issue(&after), &[AUDIENCE], now()), Err(TokenError::UnknownKey)));
        let retired = tokens(&[("2026-11", &new)]);
        assert!(matches!(retired.verify(&issue(&before), &[AUDIENCE], now()), Err(TokenError::UnknownKey)));
    }

    #[test]
    fn another_key_under_our_name_is_refused() {
        let ours = tokens(&[("a", &pem())]);
        let theirs = tokens(&[("a", &pem())]);
        assert!(matches!(ours.verify(&issue(&theirs), &[AUDIENCE], now()), Err(TokenError::Invalid(_))));
    }

    #[test]
    fn another_issuer_is_refused() {
        let ours = tokens(&[("a", &pem())]);
        let iat = now().timestamp();
        let claims = json!({ "iss": "else", "sub": "per_1", "aud": AUDIENCE.as_str(), "iat": iat, "exp": iat + 900 });
        let token = sign(&ours, TYPE, &claims);
        assert!(matches!(ours.verify(&token, &[AUDIENCE], now()), Err(TokenError::Invalid(_))));
    }

    #[test]
    fn a_token_of_another_type_is_refused() {
        let ours = tokens(&[("a", &pem())]);
        for (typ, is_accepted) in [("at+jwt", true), ("AT+JWT", true), ("JWT", false), ("songda-proof+jwt", false)] {
            let verified = ours.verify(&sign(&ours, typ, &claims(900)), &[AUDIENCE], now());
            assert_eq!(verified.is_ok(), is_accepted, "{typ}: {verified:?}");
        }
    }

    #[test]
    fn a_token_that_lives_longer_than_ours_is_refused() {
        let ours = tokens(&[("a", &pem())]);
        for (life, is_accepted) in [(900, true), (960, true), (961, false), (315_360_000, false)] {
            let verified = ours.verify(&sign(&ours, TYPE, &claims(life)), &[AUDIENCE], now());
            assert_eq!(verified.is_ok(), is_accepted, "{life} s: {verified:?}");
        }
    }

    #[test]
    fn a_token_that_was_accepted_is_refused_once_its_key_is_removed_or_replaced() {
        let folder = std::env::temp_dir().join(format!("songda-tokens-{}", fresh_uuid()));
        std::fs::create_dir_all(&folder).unwrap();
        let put = |kid: &str| {
            std::fs::write(folder.join(kid).with_extension("pem"), SigningKeys::fresh_pem().unwrap().expose()).unwrap();
        };
        put("1");
        put("2");
        let keys = SigningKeys::load(&folder).unwrap();
        let tokens = Tokens::new(keys.clone());
        let token = issue(&tokens);
        assert!(tokens.verify(&token, &[AUDIENCE], now()).is_ok());
        keys.look().unwrap();
        assert!(tokens.verify(&token, &[AUDIENCE], now()).is_ok(), "the same key was read again");
        put("1");
        keys.look().unwrap();
        let verified = tokens.verify(&token, &[AUDIENCE], now());
        assert!(matches!(verified, Err(TokenError::Invalid(_))), "another key has its name: {verified:?}");
        std::fs::remove_file(folder.join("1.pem")).unwrap();
        keys.look().unwrap();
        let verified = tokens.verify(&token, &[AUDIENCE], now());
        assert!(matches!(verified, Err(TokenError::UnknownKey)), "{verified:?}");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn no_algorithm_and_a_symmetric_one_are_refused() {
        let ours = tokens(&[("a", &pem())]);
        let claims = issue(&ours).split('.').nth(1).unwrap().to_owned();
        for (header, signature) in [
            (json!({ "alg": "none", "kid": "a" }), ""),
            (json!({ "alg": "HS256", "kid": "a" }), "c2lnbmVk"),
            (json!({ "alg": "ES256", "kid": "a" }), ""),
        ] {
            let header = URL_SAFE_NO_PAD.encode(header.to_string());
            assert!(ours.verify(&format!("{header}.{claims}.{signature}"), &[AUDIENCE], now()).is_err(), "{header}");
        }
        for junk in ["", "a.b", "a.b.c", "...."] {
            assert!(ours.verify(junk, &[AUDIENCE], now()).is_err());
        }
    }
}
