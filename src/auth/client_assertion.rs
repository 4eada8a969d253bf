//! Client assertions (RFC 7523 §3, `private_key_jwt`): an API client proves its identity with a JWT that it signed.
//!
//! ES256 and RS256 are accepted. An assertion names the client as `iss` and `sub` and our token endpoint as `aud`, and
//! expires within [`LONGEST_LIFE`]. [`verify`] does not remember assertions: its caller must refuse an assertion whose
//! id (`jti`) was used before.

use chrono::{DateTime, TimeDelta};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, dangerous, decode, decode_header};
use serde::Deserialize;
use serde_json::Value;

use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::ClientId;

/// The value of `client_assertion_type`.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The maximum time between the check of an assertion and its expiry. An assertion that expires later is refused.
pub const LONGEST_LIFE: TimeDelta = TimeDelta::minutes(5);

/// The tolerated difference between the client's clock and ours. Every check of a time in an assertion allows this
/// much.
const SKEW: TimeDelta = TimeDelta::seconds(30);

const LONGEST_ASSERTION: usize = 8 * 1024;
const LONGEST_JTI: usize = 200;
const MOST_KEYS: usize = 10;
const SHORTEST_RSA_MODULUS: usize = 2048 / 8;

/// Why an assertion is refused. The reason is written to our log; the client does not learn it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AssertionFault {
    /// The assertion is not a JWT, is too long, or names no client.
    #[error("not an assertion of a client")]
    Form,
    #[error("an algorithm that is not accepted")]
    Algorithm,
    /// No key of the client verifies the signature, or `iss`, `sub` or `aud` is wrong.
    #[error("not signed by this client for us")]
    Signature,
    /// The assertion has expired, expires too late, or is not valid yet.
    #[error("not valid at this time")]
    Time,
    /// The id of the assertion (`jti`) is missing, empty or too long, or contains a NUL character, which PostgreSQL
    /// cannot store.
    #[error("no usable jti")]
    Jti,
}

/// A valid assertion. The caller must accept it only once, and recognises it by its id (`jti`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    pub jti: String,
    /// After this time the assertion is invalid, so its `jti` need not be remembered any longer.
    pub forget_after: Instant,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    exp: i64,
    iat: Option<i64>,
    nbf: Option<i64>,
    jti: Option<String>,
}

/// Returns the client that an assertion names. The signature is not checked here.
pub fn claimed_client(assertion: &str) -> Option<ClientId> {
    if assertion.len() > LONGEST_ASSERTION {
        return None;
    }
    dangerous::insecure_decode_claims::<Claims>(assertion).ok()?.iss.parse().ok()
}

/// Checks the signature, names and times of an assertion. `keys` is the JWK set of the client.
pub fn verify(
    assertion: &str,
    client: ClientId,
    keys: &Value,
    audience: &str,
    now: Instant,
) -> Result<Assertion, AssertionFault> {
    let header = decode_header(assertion).map_err(|_| AssertionFault::Form)?;
    if !matches!(header.alg, Algorithm::ES256 | Algorithm::RS256) {
        return Err(AssertionFault::Algorithm);
    }
    let keys = JwkSet::deserialize(keys).map_err(|_| AssertionFault::Signature)?.keys;
    let meant = |key: &&Jwk| header.kid.is_none() || key.common.key_id == header.kid;
    let rules = rules(header.alg, client, audience);
    let claims = keys.iter().filter(meant).find_map(|key| {
        let key = DecodingKey::from_jwk(key).ok()?;
        decode::<Claims>(assertion, &key, &rules).ok()
    });
    let claims = claims.ok_or(AssertionFault::Signature)?.claims;
    let forget_after = check_times(&claims, now)?;
    let usable = |jti: &String| (1..=LONGEST_JTI).contains(&jti.chars().count()) && !jti.contains('\0');
    let jti = claims.jti.filter(usable);
    Ok(Assertion { jti: jti.ok_or(AssertionFault::Jti)?, forget_after })
}

fn rules(algorithm: Algorithm, client: ClientId, audience: &str) -> Validation {
    let mut rules = Validation::new(algorithm);
    rules.set_audience(&[audience]);
    rules.set_issuer(&[client]);
    rules.sub = Some(client.to_string());
    rules.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
    // `check_times` checks the times against our own clock.
    rules.validate_exp = false;
    rules
}

fn check_times(claims: &Claims, now: Instant) -> Result<Instant, AssertionFault> {
    let read = |seconds| DateTime::from_timestamp(seconds, 0).ok_or(AssertionFault::Time);
    let expires = read(claims.exp)?;
    let starts = [claims.iat, claims.nbf].into_iter().flatten().map(read).collect::<Result<Vec<_>, _>>()?;
    let early = starts.into_iter().any(|start| start > now + SKEW);
    // The tolerance is applied to our time: a client can send a time so large that adding to it would overflow.
    if early || expires <= now - SKEW || expires > now + LONGEST_LIFE + SKEW {
        return Err(AssertionFault::Time);
    }
    Ok(expires + SKEW)
}

/// Why a JWK set is not accepted as the keys of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeysFault {
    #[error("not a JWK set of 1 to {MOST_KEYS} keys")]
    Form,
    #[error("it holds a private key; hand over the public ones, and replace that key")]
    Private,
    #[error("a key is neither EC P-256 nor RSA of at least 2048 bits")]
    Kind,
}

/// Checks the JWK set that an API client is registered with.
pub fn check_keys(keys: &Value) -> Result<(), KeysFault> {
    let listed = keys.get("keys").and_then(Value::as_array).ok_or(KeysFault::Form)?;
    if listed.iter().any(|key| ["d", "p", "q", "k"].iter().any(|secret| key.get(secret).is_some())) {
        return Err(KeysFault::Private);
    }
    let set = JwkSet::deserialize(keys).map_err(|_| KeysFault::Form)?;
    if !(1..=MOST_KEYS).contains(&set.keys.len()) {
        return Err(KeysFault::Form);
    }
    set.keys.iter().all(is_strong).then_some(()).ok_or(KeysFault::Kind)
}

fn is_strong(key: &Jwk) -> bool {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let kind = match &key.algorithm {
        AlgorithmParameters::EllipticCurve(curve) => curve.curve == EllipticCurve::P256,
        AlgorithmParameters::RSA(rsa) => URL_SAFE_NO_PAD.decode(&rsa.n).is_ok_and(|n| n.len() >= SHORTEST_RSA_MODULUS),
        _ => false,
    };
    kind && DecodingKey::from_jwk(key).is_ok()
}
