//! Conditional reads (RFC 9110 §13.1.2): responds with 304 and no body if the caller already has the current content.

use std::future::Future;

use futures_util::TryFutureExt;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Body, Request, Response, Result};

use crate::api::edge::answers::etag::EntityTags;
use crate::api::edge::middleware::layer::{Inner, Layer};

pub struct AnswerNotModified;

impl Layer for AnswerNotModified {
    fn answer(&self, request: Request, inner: &impl Inner) -> impl Future<Output = Result<Response>> + Send {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let seen = if reads { EntityTags::of(request.headers(), header::IF_NONE_MATCH).flatten() } else { None };
        inner.call(request).map_ok(move |answer| unless_seen(answer, seen))
    }
}

fn unless_seen(mut response: Response, seen: Option<EntityTags>) -> Response {
    let tag = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
    let seen = seen.zip(tag).and_then(|(seen, tag)| seen.seen(tag));
    if let Some(Ok(seen)) = seen.map(|tag| HeaderValue::from_str(&tag))
        && response.status() == StatusCode::OK
    {
        response.set_status(StatusCode::NOT_MODIFIED);
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        headers.remove(header::CONTENT_LENGTH);
        // The ETag as the caller sent it: a cache refreshes only the entry with the same ETag (RFC 9111 §4.3.4).
        headers.insert(header::ETAG, seen);
        headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        response.set_body(Body::empty());
    }
    response
}
