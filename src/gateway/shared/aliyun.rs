//! One call to an Alibaba Cloud RPC interface, in form style: the parameters stand in the signed body, so that
//! nothing personal is in a URL. What an answer means is for each service's adapter to say; what the API gateway
//! before all of them says is here.

use reqwest::Method;
use serde::Deserialize;

use crate::domain::kernel::clock::{Clock, random_bytes};
use crate::domain::kernel::private::Private;

use crate::gateway::shared::acs3::{self, Call, Credentials};
use crate::gateway::shared::http::{Answer, Http, HttpFault, HttpSettings};
use crate::gateway::shared::probe::Probe;

/// A call was older than fifteen minutes when it was read.
const TOO_OLD: &str = "InvalidTimeStamp.Expired";

/// A client of one service.
pub struct Rpc {
    http: Http,
    version: &'static str,
    credentials: Credentials,
    clock: Clock,
}

impl Rpc {
    /// A client of the service behind these settings, which speaks this version (a date).
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(
        settings: &HttpSettings,
        version: &'static str,
        credentials: Credentials,
        clock: Clock,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self { http: Http::new(settings)?, version, credentials, clock })
    }

    /// Calls an action.
    ///
    /// # Errors
    /// Those of [`Http::send`].
    pub async fn call(&self, action: &str, parameters: &[(&str, &str)]) -> Result<Answer, HttpFault> {
        let answer = self.call_once(action, parameters).await?;
        let too_old = serde_json::from_slice(&answer.body).is_ok_and(|Said { code }| code == TOO_OLD);
        // It waited somewhere, or our clock is wrong. A fresh one tells which.
        if too_old { self.call_once(action, parameters).await } else { Ok(answer) }
    }

    async fn call_once(&self, action: &str, parameters: &[(&str, &str)]) -> Result<Answer, HttpFault> {
        let form = Private::new(acs3::encode(parameters));
        let host = self.http.host();
        let call = Call { host: &host, action, version: self.version, query: &[], form: Some(form.expose()) };
        let nonce = hex::encode(random_bytes::<16>());
        let mut request = self.http.request(Method::POST, "/");
        for (name, value) in acs3::sign(&self.credentials, &call, self.clock.now(), &nonce) {
            // The HTTP client writes `host` itself, from the same URL.
            if name != "host" {
                request = request.header(name, value);
            }
        }
        self.http.send(request.body(form.into_exposed())).await
    }
}

/// What the API gateway says on its own account, whichever service was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EdgeFault {
    /// Too many calls.
    Throttled,
    /// Our key, its rights or our clock are at fault.
    Account,
    /// It failed, or saw this very call before: the service behind it may have acted.
    Unclear,
}

/// Reads a code of the API gateway; `None` for one that belongs to a service.
#[must_use]
pub fn edge_fault(code: &str) -> Option<EdgeFault> {
    match code {
        "Throttling" => Some(EdgeFault::Throttled),
        "ServiceUnavailable" | "InternalError" => Some(EdgeFault::Unclear),
        // Our nonces are 128 random bits. One that was used means that a copy of this call got through.
        "SignatureNonceUsed" => Some(EdgeFault::Unclear),
        "SignatureDoesNotMatch" | "IncompleteSignature" | TOO_OLD => Some(EdgeFault::Account),
        _ if code.starts_with("Throttling.") => Some(EdgeFault::Throttled),
        _ if code.starts_with("InvalidAccessKeyId.") || code.starts_with("Forbidden") => Some(EdgeFault::Account),
        _ => None,
    }
}

/// What the answer to a harmless question says of our account. The API gateway judges key, rights and clock before the
/// service behind it reads anything, so whatever a service says of the question, it lets us in.
#[must_use]
pub fn probe(answer: Result<Answer, HttpFault>) -> Probe {
    let answer = match answer {
        Ok(answer) => answer,
        Err(fault) => return Probe::Silent(fault.to_string()),
    };
    let Ok(Said { code }) = serde_json::from_slice(&answer.body) else {
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
struct Said {
    #[serde(rename = "Code")]
    code: String,
}
