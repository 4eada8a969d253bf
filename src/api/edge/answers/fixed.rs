//! An answer that never changes while the process lives: made once, served from memory with its ETag.

use bytes::Bytes;
use poem::http::{HeaderName, HeaderValue, header};
use poem::{Endpoint, Request, Response, Result};

use crate::api::edge::answers::etag::etag_of;

/// The answer.
#[derive(Debug, Clone)]
pub struct Fixed {
    content_type: &'static str,
    body: Bytes,
    etag: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Fixed {
    /// A body of a media type. Clients ask again after a minute, and mostly get 304.
    pub fn new(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let headers = vec![(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"))];
        Self { content_type, etag: etag_of(&body), body, headers }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl Endpoint for Fixed {
    type Output = Response;

    async fn call(&self, _: Request) -> Result<Response> {
        let mut response = Response::builder()
            .content_type(self.content_type)
            .header(header::ETAG, &self.etag)
            .header(header::CONTENT_LENGTH, self.body.len())
            .body(self.body.clone());
        response.headers_mut().extend(self.headers.iter().cloned());
        Ok(response)
    }
}
