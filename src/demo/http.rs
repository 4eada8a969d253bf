//! The HTTP client of the demonstration: sends and reads JSON, and turns error responses into [`Mishap`]s.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode, Url, header, multipart};
use serde_json::Value;

use super::mishap::{Mishap, Played};
use crate::domain::kernel::private::Private;

/// A client of one HTTP API, with the API's base URL and an optional access token.
#[derive(Clone)]
pub struct Caller {
    client: reqwest::Client,
    base: Url,
    token: Option<Private<String>>,
}

impl Caller {
    #[expect(clippy::disallowed_methods, reason = "the player is not a part of the product")]
    pub fn new(base: Url) -> Played<Self> {
        const TIMEOUT: Duration = Duration::from_secs(30);
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| Mishap::Unprepared(format!("no HTTP client: {error}")))?;
        Ok(Self { client, base, token: None })
    }

    #[must_use]
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self { token: Some(Private::new(token.into())), ..self.clone() }
    }

    pub fn token(&self) -> Option<&str> {
        self.token.as_ref().map(|token| token.expose().as_str())
    }

    pub const fn base(&self) -> &Url {
        &self.base
    }

    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    pub fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path)
    }

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

/// An HTTP request that is not sent yet.
#[must_use = "a call is made by `answer` or `success`"]
pub struct Call {
    request: RequestBuilder,
    name: String,
}

impl Call {
    pub fn json(mut self, body: &Value) -> Self {
        self.request = self.request.json(body);
        self
    }

    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        self.request = self.request.form(fields);
        self
    }

    /// Sends a file as the part `file` of a multipart body.
    pub fn file(mut self, file: multipart::Part) -> Self {
        self.request = self.request.multipart(multipart::Form::new().part("file", file));
        self
    }

    pub fn query(mut self, parameters: &[(&str, &str)]) -> Self {
        self.request = self.request.query(parameters);
        self
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Lets the request succeed only if the resource still has this ETag.
    pub fn if_match(self, etag: &str) -> Self {
        self.header("if-match", etag)
    }

    /// Lets the request succeed only if the resource does not exist yet.
    pub fn if_absent(self) -> Self {
        self.header("if-none-match", "*")
    }

    /// Sets the idempotency key: a second request with the same key has no further effect.
    pub fn once(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// Sends the request, and returns the response, whatever its status is.
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

    /// Sends the request, and fails if the response has an error status.
    pub async fn success(self) -> Played<Reply> {
        let reply = self.answer().await?;
        if reply.status.is_success() { Ok(reply) } else { Err(reply.refusal()) }
    }
}

#[derive(Debug)]
pub struct Reply {
    call: String,
    pub status: StatusCode,
    pub headers: header::HeaderMap,
    /// The body as JSON; `Value::Null` if it is not JSON.
    pub body: Value,
    pub bytes: bytes::Bytes,
}

impl Reply {
    /// Returns the value at a JSON pointer into the body. Fails if the body has no value there.
    pub fn at(&self, pointer: &str) -> Played<&Value> {
        self.body.pointer(pointer).ok_or_else(|| self.missing(pointer))
    }

    pub fn text(&self, pointer: &str) -> Played<String> {
        self.at(pointer)?.as_str().map(str::to_owned).ok_or_else(|| self.missing(pointer))
    }

    /// Returns the entries of a list response. Fails if the body has no array `data`.
    pub fn rows(&self) -> Played<&[Value]> {
        self.at("/data")?.as_array().map(Vec::as_slice).ok_or_else(|| self.missing("/data"))
    }

    fn missing(&self, pointer: &str) -> Mishap {
        Mishap::Missing { call: self.call.clone(), pointer: pointer.to_owned() }
    }

    /// The value of a header; empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub fn etag(&self) -> &str {
        self.header("etag")
    }

    /// Turns an error response into an error of the demonstration, with the code and the detail of its problem
    /// document.
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
