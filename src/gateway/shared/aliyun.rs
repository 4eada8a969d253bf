//! A client of Alibaba Cloud's RPC interfaces. The parameters are in the signed body rather than in the URL, because
//! URLs end up in logs.
//!
//! Alibaba's API gateway checks a call before the service does. This file interprets the refusals of the API gateway.
//! Each adapter interprets the answers of its service.

use reqwest::Method;
use serde::Deserialize;

use crate::domain::kernel::clock::{Clock, random_bytes};
use crate::domain::kernel::private::Private;
use crate::gateway::shared::acs3::{self, Credentials, RpcCall};
use crate::gateway::shared::http::{Http, HttpAnswer, HttpFault};
use crate::gateway::shared::probe::Probe;

/// The error code for a call whose date was more than fifteen minutes ago when Alibaba received it.
const TOO_OLD: &str = "InvalidTimeStamp.Expired";

/// A client of one service of Alibaba Cloud.
pub struct Rpc {
    pub http: Http,
    /// The version of the service's interface, a date.
    pub version: &'static str,
    pub credentials: Credentials,
    pub clock: Clock,
}

impl Rpc {
    /// Calls an action. If the call was too old on arrival, signs and sends it once more.
    pub async fn call(&self, action: &str, parameters: &[(&str, &str)]) -> Result<HttpAnswer, HttpFault> {
        let answer = self.call_once(action, parameters).await?;
        let too_old = serde_json::from_slice(&answer.body).is_ok_and(|ErrorCode { code }| code == TOO_OLD);
        // Either the call was delayed, or our clock is wrong. If the second call is refused too, our clock is wrong.
        if too_old { self.call_once(action, parameters).await } else { Ok(answer) }
    }

    async fn call_once(&self, action: &str, parameters: &[(&str, &str)]) -> Result<HttpAnswer, HttpFault> {
        let form = Private::new(acs3::encode(parameters));
        let host = self.http.host();
        let call = RpcCall { host: &host, action, version: self.version, query: &[], form: Some(form.expose()) };
        let nonce = hex::encode(random_bytes::<16>());
        let mut request = self.http.request(Method::POST, "/");
        for (name, value) in acs3::sign(&self.credentials, &call, self.clock.now(), &nonce) {
            // The HTTP client adds `host` itself, from the same URL.
            if name != "host" {
                request = request.header(name, value);
            }
        }
        self.http.send(request.body(form.into_exposed())).await
    }
}

/// A refusal by the API gateway itself, the same for all services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EdgeFault {
    Throttled,
    /// Our key, its permissions or our clock are wrong.
    Account,
    /// The API gateway failed, or saw this call before: the service may have acted.
    Unclear,
}

/// Interprets an error code of the API gateway. Returns `None` for a code of a service.
pub fn edge_fault(code: &str) -> Option<EdgeFault> {
    match code {
        "Throttling" => Some(EdgeFault::Throttled),
        "ServiceUnavailable" | "InternalError" => Some(EdgeFault::Unclear),
        // Our nonces are 128 random bits, so no other call used this one. A copy of this call must have arrived before.
        "SignatureNonceUsed" => Some(EdgeFault::Unclear),
        "SignatureDoesNotMatch" | "IncompleteSignature" | TOO_OLD => Some(EdgeFault::Account),
        _ if code.starts_with("Throttling.") => Some(EdgeFault::Throttled),
        _ if code.starts_with("InvalidAccessKeyId.") || code.starts_with("Forbidden") => Some(EdgeFault::Account),
        _ => None,
    }
}

/// Turns the answer to a harmless call into the result of a probe. The API gateway verifies key, permissions and clock
/// before it passes a call to the service. So any answer of the service means that our account is accepted.
pub fn probe(answer: Result<HttpAnswer, HttpFault>) -> Probe {
    let answer = match answer {
        Ok(answer) => answer,
        Err(fault) => return Probe::Silent(fault.to_string()),
    };
    let Ok(ErrorCode { code }) = serde_json::from_slice(&answer.body) else {
        return Probe::Silent(format!("HTTP {} without a readable body", answer.status.as_u16()));
    };
    let code: String = code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.').take(64).collect();
    match edge_fault(&code) {
        Some(EdgeFault::Account) => Probe::Refused(code),
        Some(EdgeFault::Throttled) => Probe::Throttled,
        Some(EdgeFault::Unclear) => Probe::Silent(code),
        None => Probe::Well,
    }
}

#[derive(Deserialize)]
struct ErrorCode {
    #[serde(rename = "Code")]
    code: String,
}
