//! The one place that builds HTTP clients for outside calls: time-outs, no redirects, answers of bounded size, and
//! faults that say whether the request may have arrived.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{Method, RequestBuilder, StatusCode, Url, redirect};

use crate::env::Env;
use crate::gateway::shared::underway::Underway;
use crate::metrics::gateways::Calls;

/// How one gateway is reached.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// The gateway's name in counts and spans.
    pub gateway: Arc<str>,
    /// Scheme, host, port, and a path prefix if any.
    pub base_url: Url,
    /// Until a connection stands.
    pub connect_timeout: Duration,
    /// For the whole call, connecting and reading included.
    pub timeout: Duration,
}

/// The names of the settings of one gateway.
pub struct HttpNames {
    /// `SONGDA_<GATEWAY>_URL`
    pub base_url: &'static str,
    /// What it is if not set: the production address.
    pub default_url: &'static str,
    /// `SONGDA_<GATEWAY>_TIMEOUT`
    pub timeout: &'static str,
}

impl HttpNames {
    /// The gateway's name, which its settings bear: that of `SONGDA_SMS_ALIYUN_URL` is `sms_aliyun`.
    fn gateway(&self) -> Arc<str> {
        let name = self.base_url.trim_start_matches("SONGDA_").trim_end_matches("_URL");
        name.to_ascii_lowercase().into()
    }
}

impl HttpSettings {
    /// Reads the settings.
    pub fn read(env: &mut Env, names: &HttpNames) -> Option<Self> {
        let base_url = env.or(names.base_url, names.default_url, "base URL of the gateway; the sandbox has its own");
        let timeout = env.duration(names.timeout, "4s", "time-out of one call to the gateway");
        let connect_timeout = Duration::from_secs(3);
        Some(Self { gateway: names.gateway(), base_url: base_url?, connect_timeout, timeout: timeout? })
    }
}

/// An answer, whole. The status is the gateway's; what it means is for the adapter to say.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// `Content-Type`, lower-case, or empty.
    pub content_type: String,
    /// `Retry-After` in seconds, where given that way.
    pub retry_after: Option<Duration>,
    pub body: Bytes,
}

/// Why there is no answer. The text never holds a URL: queries carry tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpFault {
    /// No connection was made: the request surely did not arrive.
    #[error("not sent: {0}")]
    NotSent(String),
    /// The request left; whether it arrived and what it did is unknown.
    #[error("unclear: {0}")]
    Unclear(String),
}

/// A client for one gateway, with its own connections.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    base: Url,
    calls: Arc<Calls>,
    timeout: Duration,
}

/// No honest answer of a gateway is larger, labels included.
const LARGEST_ANSWER: usize = 4 << 20;

impl Http {
    /// Builds the client.
    ///
    /// # Errors
    /// When TLS cannot be set up.
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

    /// Starts a request to a path below the base URL.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{}", self.base.path().trim_end_matches('/'), path.trim_start_matches('/')));
        self.client.request(method, url)
    }

    /// Starts a request to a whole address that a gateway named in an answer; `None` unless it lies below the base
    /// URL, so that no answer can send us elsewhere.
    pub fn request_below(&self, method: Method, url: &Url) -> Option<RequestBuilder> {
        let prefix = format!("{}/", self.base.path().trim_end_matches('/'));
        let below = url.origin() == self.base.origin() && url.path().starts_with(&prefix);
        below.then(|| self.client.request(method, url.clone()))
    }

    /// How long one call may take at the most.
    #[must_use]
    pub const fn time_limit(&self) -> Duration {
        self.timeout
    }

    /// The host and port that a signature may need to name.
    #[must_use]
    pub fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        self.base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Sends, and reads the whole answer.
    ///
    /// # Errors
    /// [`HttpFault::NotSent`] when nothing left; [`HttpFault::Unclear`] when anything went wrong after that.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer, HttpFault> {
        let (client, request) = request.build_split();
        let request = request.map_err(fault)?;
        let underway = Underway::begin(&self.calls, request.method().as_str());
        let outcome = exchange(client, request).await;
        underway.end(&outcome);
        outcome
    }
}

/// Sends, and reads the whole answer.
async fn exchange(client: reqwest::Client, request: reqwest::Request) -> Result<Answer, HttpFault> {
    let mut response = client.execute(request).await.map_err(fault)?;
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let content_type = header(reqwest::header::CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
    let retry_after =
        header(reqwest::header::RETRY_AFTER).and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    let status = response.status();
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| HttpFault::Unclear(words(&error)))? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(HttpFault::Unclear("the answer is larger than any honest one".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, content_type, retry_after, body: body.freeze() })
}

fn fault(error: reqwest::Error) -> HttpFault {
    if error.is_connect() || error.is_builder() {
        HttpFault::NotSent(words(&error))
    } else {
        HttpFault::Unclear(words(&error))
    }
}

/// The kinds of things that went wrong, without the URL.
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
        let base_url: Url = "https://labels.example/files".parse().unwrap();
        let second = Duration::from_secs(1);
        let http =
            Http::new(&HttpSettings { gateway: "labels".into(), base_url, connect_timeout: second, timeout: second })
                .unwrap();
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
