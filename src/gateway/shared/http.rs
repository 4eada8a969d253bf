//! The HTTP client for gateways. No other file builds one. Each client has time-outs, follows no redirects and limits
//! the size of answers. Its errors distinguish requests that were certainly not sent from requests that may have
//! arrived.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{Method, RequestBuilder, StatusCode, Url, redirect};

use crate::domain::kernel::clock::Stopwatch;
use crate::env::Env;
use crate::env::risk::{Risk, is_this_machine};
use crate::metrics::gateways::{CallClass, Calls};
use crate::trace::Span;

#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// The gateway's name in metrics and spans.
    pub gateway: Arc<str>,
    /// Scheme, host, port, and a path prefix if any.
    pub base_url: Url,
    pub connect_timeout: Duration,
    /// The time-out of a whole call, including connecting and reading the answer.
    pub timeout: Duration,
}

impl HttpSettings {
    /// Creates settings with one time-out, both for connecting and for the whole call.
    pub fn new(gateway: &str, base_url: Url, timeout: Duration) -> Self {
        Self { gateway: gateway.into(), base_url, connect_timeout: timeout, timeout }
    }
}

pub struct HttpNames {
    /// The name of the setting, `SONGDA_<GATEWAY>_URL`.
    pub base_url: &'static str,
    pub default_url: &'static str,
    /// The name of the setting, `SONGDA_<GATEWAY>_TIMEOUT`.
    pub timeout: &'static str,
}

/// An HTTP response whose body was read completely.
#[derive(Debug, Clone)]
pub struct HttpAnswer {
    pub status: StatusCode,
    /// `Content-Type` in lower case; empty if missing.
    pub content_type: String,
    /// `Retry-After`, if it is given in seconds.
    pub retry_after: Option<Duration>,
    pub body: Bytes,
}

/// The reason why a request got no answer. The text never contains a URL, because query strings contain tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpFault {
    /// No connection was made: the request certainly did not arrive.
    #[error("not sent: {0}")]
    NotSent(String),
    /// The request was sent, but no complete answer came. The gateway may or may not have processed the request.
    #[error("unclear: {0}")]
    Unclear(String),
}

/// An HTTP client for one gateway, with its own connections. Clones share the connections.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    base: Url,
    calls: Arc<Calls>,
    timeout: Duration,
}

/// The size limit of an answer, in bytes. Real answers are smaller, labels included.
const LARGEST_ANSWER: usize = 4 << 20;

/// True if calls to this address go over a network without TLS.
pub fn is_unprotected(url: &Url) -> bool {
    url.scheme() != "https" && !url.host_str().is_some_and(is_this_machine)
}

impl Http {
    /// Reads a gateway's settings and builds its client; `None` if the settings have faults.
    pub fn read(env: &mut Env, names: &HttpNames) -> Option<Self> {
        let base_url = env.or(names.base_url, names.default_url, "base URL of the gateway; the sandbox has its own");
        let timeout = env.duration(names.timeout, "4s", "time-out of one call to the gateway");
        // The setting's name contains the name of the gateway: `SONGDA_SMS_ALIYUN_URL` belongs to `sms_aliyun`.
        let name = names.base_url.trim_start_matches("SONGDA_").trim_end_matches("_URL").to_ascii_lowercase();
        let connect_timeout = Duration::from_secs(3);
        let settings = HttpSettings { connect_timeout, ..HttpSettings::new(&name, base_url?, timeout?) };
        if is_unprotected(&settings.base_url) {
            env.risk(Risk::HttpGateways, format!("{} begins with http://", names.base_url));
        }
        let client = Self::new(&settings);
        client.map_err(|error| env.fault(format!("no HTTP client for {name}: {error}"))).ok()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one file that the rule points to")]
    pub fn new(settings: &HttpSettings) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.timeout)
            .redirect(redirect::Policy::none())
            .tcp_nodelay(true)
            .pool_idle_timeout(Duration::from_secs(60))
            .user_agent(concat!("songda/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let calls = Arc::new(Calls::of(Arc::clone(&settings.gateway)));
        Ok(Self { client, base: settings.base_url.clone(), calls, timeout: settings.timeout })
    }

    /// Returns a client with the same time-outs for another base URL of the same gateway.
    pub fn at(&self, base: Url) -> Self {
        Self { base, ..self.clone() }
    }

    /// Starts a request to a path below the base URL.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{}", self.base.path().trim_end_matches('/'), path.trim_start_matches('/')));
        self.client.request(method, url)
    }

    /// Starts a request to an address from a gateway's answer; `None` unless the address is below the base URL. So a
    /// forged answer cannot make Songda call another host.
    pub fn request_below(&self, method: Method, url: &Url) -> Option<RequestBuilder> {
        let prefix = format!("{}/", self.base.path().trim_end_matches('/'));
        let below = url.origin() == self.base.origin() && url.path().starts_with(&prefix);
        below.then(|| self.client.request(method, url.clone()))
    }

    pub const fn time_limit(&self) -> Duration {
        self.timeout
    }

    /// Host and port of the base URL, which some gateways require in signatures.
    pub fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        self.base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    pub async fn send(&self, request: RequestBuilder) -> Result<HttpAnswer, HttpFault> {
        let (client, request) = request.build_split();
        let request = request.map_err(fault)?;
        let underway = Underway::begin(&self.calls, request.method().as_str());
        let outcome = exchange(client, request).await;
        underway.end(class(&outcome));
        outcome
    }
}

/// A running call. When this guard is dropped, the call is counted in the metrics and its trace span ends. This happens
/// even if our caller has stopped waiting, because an operator must see that a gateway hangs.
struct Underway<'a> {
    calls: &'a Calls,
    span: Span,
    since: Stopwatch,
    class: CallClass,
}

impl<'a> Underway<'a> {
    fn begin(calls: &'a Calls, method: &str) -> Self {
        let span = Span::call(calls.gateway(), method);
        Self { calls, span, since: Stopwatch::start(), class: CallClass::Unclear }
    }

    /// Ends the call with an outcome. A call that is dropped without an outcome counts as unclear.
    fn end(mut self, class: CallClass) {
        self.class = class;
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        self.calls.ended(self.class, self.since.elapsed());
        match self.class {
            CallClass::Status(status) => self.span.returned(status),
            CallClass::NotSent | CallClass::Unclear => self.span.failed(self.class.name()),
        }
    }
}

async fn exchange(client: reqwest::Client, request: reqwest::Request) -> Result<HttpAnswer, HttpFault> {
    let mut response = client.execute(request).await.map_err(fault)?;
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let content_type = header(reqwest::header::CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
    let retry_after =
        header(reqwest::header::RETRY_AFTER).and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    let status = response.status();
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| HttpFault::Unclear(words(&error)))? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(HttpFault::Unclear("the answer is too large".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpAnswer { status, content_type, retry_after, body: body.freeze() })
}

fn class(outcome: &Result<HttpAnswer, HttpFault>) -> CallClass {
    match outcome {
        Ok(answer) => CallClass::Status(answer.status.as_u16()),
        Err(HttpFault::NotSent(_)) => CallClass::NotSent,
        Err(HttpFault::Unclear(_)) => CallClass::Unclear,
    }
}

fn fault(error: reqwest::Error) -> HttpFault {
    if error.is_connect() || error.is_builder() {
        HttpFault::NotSent(words(&error))
    } else {
        HttpFault::Unclear(words(&error))
    }
}

/// Describes the cause of an error, without the URL.
fn words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "timed out".to_owned();
    }
    let mut source: &dyn std::error::Error = error;
    while let Some(deeper) = source.source() {
        source = deeper;
    }
    if error.is_connect() { format!("no connection ({source})") } else { format!("the connection broke ({source})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_cannot_send_us_elsewhere() {
        let base_url = "https://labels.example/files".parse().unwrap();
        let http = Http::new(&HttpSettings::new("labels", base_url, Duration::from_secs(1))).unwrap();
        let below = |url: &str| http.request_below(Method::GET, &url.parse().unwrap()).is_some();
        assert!(below("https://labels.example/files/1.pdf?token=x"));
        for elsewhere in [
            "http://labels.example/files/1.pdf",
            "https://labels.example:8443/files/1.pdf",
            "https://labels.example.evil.example/files/1.pdf",
            "https://labels.example/files/../admin",
            "https://labels.example/filesystem",
            "https://user@evil.example/files/1.pdf",
        ] {
            assert!(!below(elsewhere), "{elsewhere}");
        }
    }
}
