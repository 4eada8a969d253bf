//! An answer that is the same for every request: encoded once, and sent from memory with its ETag.

use bytes::Bytes;
use poem::http::{HeaderValue, header};
use poem::{Endpoint, Request, Response, Result};

use crate::api::edge::answers::etag::etag_of;

/// Clients and shared caches keep the answer for a minute, and then mostly get 304.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=60");

/// Cloning shares the bytes.
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
        // Quotes and hexadecimal digits always make a header value.
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
