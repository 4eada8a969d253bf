//! A response that is the same for every request. It is encoded once, and sent from memory with its ETag.

use bytes::Bytes;
use poem::http::{HeaderValue, header};
use poem::{Endpoint, Request, Response, Result};

use crate::api::edge::answers::etag::etag_of;

/// Clients and shared caches keep the response for a minute. Then they ask again, and mostly get 304.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=60");

/// A response in memory. Clones share the bytes.
#[derive(Debug, Clone)]
pub struct Fixed {
    content_type: &'static str,
    body: Bytes,
    etag: HeaderValue,
    policy: Option<HeaderValue>,
}

impl Fixed {
    pub fn new(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        // The fallback is never used: quotes and hexadecimal digits are always valid in a header.
        let etag = HeaderValue::from_str(&etag_of(&body)).unwrap_or(HeaderValue::from_static("\"\""));
        Self { content_type, body, etag, policy: None }
    }

    /// Adds a `Content-Security-Policy`.
    #[must_use]
    pub fn policy(self, policy: HeaderValue) -> Self {
        Self { policy: Some(policy), ..self }
    }

    pub fn response(&self) -> Response {
        let response = Response::builder()
            .content_type(self.content_type)
            .header(header::CACHE_CONTROL, CACHE)
            .header(header::ETAG, self.etag.clone())
            .header(header::CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        let response = match &self.policy {
            Some(policy) => response.header(header::CONTENT_SECURITY_POLICY, policy.clone()),
            None => response,
        };
        response.body(self.body.clone())
    }
}

impl Endpoint for Fixed {
    type Output = Response;

    async fn call(&self, _: Request) -> Result<Response> {
        Ok(self.response())
    }
}
