//! A back-office system that submits decisions which it made itself. It authenticates with a signed assertion (RFC
//! 7523).

use std::path::Path;

use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::fresh::fresh_key;
use super::http::Caller;
use super::mishap::{Mishap, Played};
use crate::domain::kernel::clock::Clock;

/// A back-office system with an access token.
#[derive(Clone)]
pub struct BackOffice {
    caller: Caller,
}

impl BackOffice {
    /// Gets an access token with the private key in a PEM file.
    pub async fn authenticate(api: &Caller, client: &str, key_file: &Path) -> Played<Self> {
        Ok(Self { caller: api.with_token(Self::token(api, client, key_file).await?) })
    }

    /// Gets only the access token, for callers that have their own HTTP client.
    pub async fn token(api: &Caller, client: &str, key_file: &Path) -> Played<String> {
        const PATH: &str = "/integration/v1/token";
        let audience = format!("{}{PATH}", api.base().as_str().trim_end_matches('/'));
        let assertion = assertion(client, &audience, key_file)?;
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion.as_str()),
        ];
        api.post(PATH).form(&fields).success().await?.text("/access_token")
    }

    /// Submits results, and returns the API's verdict on each.
    pub async fn hand_in(&self, results: &[Value]) -> Played<Vec<Value>> {
        let call = self.caller.post("/integration/v1/result-batches").once(&fresh_key());
        Ok(call.json(&json!({"results": results})).success().await?.rows()?.to_vec())
    }
}

fn assertion(client: &str, audience: &str, key_file: &Path) -> Played<String> {
    let unprepared = |what: &dyn std::fmt::Display| Mishap::Unprepared(format!("{}: {what}", key_file.display()));
    let pem = std::fs::read(key_file).map_err(|error| unprepared(&error))?;
    let key = EncodingKey::from_ec_pem(&pem).map_err(|error| unprepared(&error))?;
    let now = Clock::system().now();
    let claims = json!({
        "iss": client, "sub": client, "aud": audience, "jti": fresh_key(),
        "iat": now.timestamp(), "exp": (now + TimeDelta::minutes(1)).timestamp(),
    });
    encode(&Header::new(Algorithm::ES256), &claims, &key).map_err(|error| unprepared(&error))
}
