//! The player's HTTP: JSON in and out, every answer kept whole, and a refusal told with the problem's own words.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode, Url, header, multipart};
use serde_json::Value;

use super::mishap::{Mishap, Played};
use crate::domain::kernel::private::Private;

/// One who calls an HTTP API: where it is, and whose token goes with every call.
#[derive(Clone)]
pub struct Caller {
    client: reqwest::Client,
    base: Url,
    token: Option<Private<String>>,
}

impl Caller {
    /// A caller without a token.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    #[expect(clippy::disallowed_methods, reason = "the player stands outside, where the product's gateways are not")]
    pub fn new(base: Url) -> Played<Self> {
        const TIMEOUT: Duration = Duration::from_secs(30);
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| Mishap::Unprepared(format!("no HTTP client: {error}")))?;
        Ok(Self { client, base, token: None })
    }

    /// The same caller with a token.
    #[must_use]
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self { token: Some(Private::new(token.into())), ..self.clone() }
    }

    /// Whose token goes with every call, for clients that speak HTTP in their own way.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_ref().map(|token| token.expose().as_str())
    }

    /// The address below which all paths are.
    #[must_use]
    pub const fn base(&self) -> &Url {
        &self.base
    }

    /// Begins a `GET`.
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// Begins a `POST`.
    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    /// Begins a `PUT`.
    pub fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path)
    }

    /// Begins a `DELETE`.
    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    fn call(&self, method: Method, path: &str) -> Call {
        let url = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        let request = self.client.request(method.clone(), url);
        let request = match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        };
        Call { request, name: format!("{method} {path}") }
    }
}

/// A call that has not been made yet.
#[must_use = "a call is made by `answer` or `success`"]
pub struct Call {
    request: RequestBuilder,
    name: String,
}

impl Call {
    /// With a JSON body.
    pub fn json(mut self, body: &Value) -> Self {
        self.request = self.request.json(body);
        self
    }

    /// With a form's fields as its body.
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        self.request = self.request.form(fields);
        self
    }

    /// With a file as the part `file`.
    pub fn file(mut self, file: multipart::Part) -> Self {
        self.request = self.request.multipart(multipart::Form::new().part("file", file));
        self
    }

    /// With parameters in the query.
    pub fn query(mut self, parameters: &[(&str, &str)]) -> Self {
        self.request = self.request.query(parameters);
        self
    }

    /// With a header.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Only if the resource is still as it was read.
    pub fn if_match(self, etag: &str) -> Self {
        self.header("if-match", etag)
    }

    /// Only if there is none yet.
    pub fn if_absent(self) -> Self {
        self.header("if-none-match", "*")
    }

    /// Once only, however often it is repeated.
    pub fn once(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// Makes the call; any status will do.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn answer(self) -> Played<Reply> {
        let call = self.name;
        let no_answer = |cause: reqwest::Error| Mishap::NoAnswer { call: call.clone(), cause: cause.without_url() };
        let response = self.request.send().await.map_err(no_answer)?;
        let status = response.status();
        let headers = response.headers().clone();
        let bytes = response.bytes().await.map_err(no_answer)?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Reply { call, status, headers, body, bytes })
    }

    /// Makes the call, which must succeed.
    pub async fn success(self) -> Played<Reply> {
        let reply = self.answer().await?;
        if reply.status.is_success() { Ok(reply) } else { Err(reply.refusal()) }
    }
}

#[derive(Debug)]
pub struct Reply {
    call: String,
    /// HTTP status.
    pub status: StatusCode,
    pub headers: header::HeaderMap,
    /// The body as JSON; null where it is none.
    pub body: Value,
    /// The body as it came.
    pub bytes: bytes::Bytes,
}

impl Reply {
    /// What stands at a JSON pointer.
    ///
    /// # Errors
    /// When nothing does.
    pub fn at(&self, pointer: &str) -> Played<&Value> {
        let missing = || Mishap::Missing { call: self.call.clone(), pointer: pointer.to_owned() };
        self.body.pointer(pointer).ok_or_else(missing)
    }

    /// The text at a JSON pointer.
    ///
    /// # Errors
    /// When there is none.
    pub fn text(&self, pointer: &str) -> Played<String> {
        let missing = || Mishap::Missing { call: self.call.clone(), pointer: pointer.to_owned() };
        self.at(pointer)?.as_str().map(str::to_owned).ok_or_else(missing)
    }

    /// The rows of a list answer.
    ///
    /// # Errors
    /// When it is none.
    pub fn rows(&self) -> Played<&[Value]> {
        let missing = || Mishap::Missing { call: self.call.clone(), pointer: "/data".to_owned() };
        self.at("/data")?.as_array().map(Vec::as_slice).ok_or_else(missing)
    }

    /// A header; empty if it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The tag by which a later change proves that it knows this version.
    #[must_use]
    pub fn etag(&self) -> &str {
        self.header("etag")
    }

    /// This answer as a mishap.
    #[must_use]
    pub fn refusal(&self) -> Mishap {
        const BEGINNING: usize = 300;
        let problem = match self.body["code"].as_str() {
            Some(code) => format!("{code}: {} {}", self.body["detail"].as_str().unwrap_or_default(), self.faults()),
            None => String::from_utf8_lossy(&self.bytes).chars().take(BEGINNING).collect(),
        };
        Mishap::Refused { call: self.call.clone(), status: self.status, problem }
    }

    fn faults(&self) -> String {
        self.body.get("errors").map(Value::to_string).unwrap_or_default()
    }
}
