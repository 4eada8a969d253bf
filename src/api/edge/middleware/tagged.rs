//! Gives every JSON response to a GET a strong ETag.
//!
//! The version of a resource is not enough, because the same version can look different: a draft shows the current
//! faults in the reader's language. So the ETag consists of the version, if there is one, and a digest of the body:
//! `"7.0f3a…"`. `If-Match` compares the version ([`crate::api::edge::parameters::conditions`]). `If-None-Match`
//! compares the whole ETag.

use std::future::Future;

use futures_util::TryFutureExt;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Error, Request, Response, Result};

use crate::api::edge::answers::etag::{digest, version_of};
use crate::api::edge::middleware::layer::{Inner, Layer};

pub struct TagReads;

impl Layer for TagReads {
    fn answer(&self, request: Request, inner: &impl Inner) -> impl Future<Output = Result<Response>> + Send {
        let method = request.method().clone();
        inner.call(request).and_then(move |answer| tag(method, answer))
    }
}

async fn tag(method: Method, mut response: Response) -> Result<Response> {
    let Some(version) = untagged(&response) else { return Ok(response) };
    if method == Method::HEAD {
        // The response to HEAD has no body from which to compute a digest.
        response.headers_mut().remove(header::ETAG);
    } else if method == Method::GET {
        let bytes = response
            .take_body()
            .into_bytes()
            .await
            .map_err(|error| Error::new(error, StatusCode::INTERNAL_SERVER_ERROR))?;
        let tag = version.map_or_else(|| digest(&bytes), |version| format!("{version}.{}", digest(&bytes)));
        if let Ok(tag) = HeaderValue::from_str(&format!("\"{tag}\"")) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        // The compression layer needs the length.
        response.headers_mut().insert(header::CONTENT_LENGTH, bytes.len().into());
        response.set_body(bytes);
    }
    Ok(response)
}

/// Returns `Some` for a JSON response that needs a digest in its ETag. The inner value is the version in its ETag, if
/// there is one.
fn untagged(response: &Response) -> Option<Option<i64>> {
    let is_json = response.content_type().is_some_and(|kind| kind.starts_with("application/json"));
    let is_kept = response.header(header::CACHE_CONTROL) != Some("no-store");
    if response.status() != StatusCode::OK || !is_json || !is_kept {
        return None;
    }
    match response.header(header::ETAG) {
        None => Some(None),
        Some(tag) => version_of(tag.trim_matches('"')).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use poem::Endpoint;
    use poem::endpoint::make_sync;

    use super::*;
    use crate::api::edge::middleware::layer::WithLayer;

    async fn tag_of(method: Method, own: Option<&'static str>, body: &'static str) -> Option<String> {
        let read = make_sync(move |_| {
            let mut answer = Response::builder().content_type("application/json; charset=utf-8").body(body);
            if let Some(tag) = own {
                answer.headers_mut().insert(header::ETAG, HeaderValue::from_static(tag));
            }
            answer
        });
        let answer = read.layer(TagReads).call(Request::builder().method(method).finish()).await.unwrap();
        answer.header("etag").map(str::to_owned)
    }

    #[tokio::test]
    async fn a_tag_names_version_and_bytes() {
        let of = async |own, body| tag_of(Method::GET, own, body).await.unwrap();
        let seven = of(Some("\"7\""), "{}").await;
        assert!(seven.starts_with("\"7.") && seven == of(Some("\"7\""), "{}").await);
        assert_ne!(seven, of(Some("\"8\""), "{}").await);
        assert_ne!(seven, of(Some("\"7\""), "[]").await, "the same version, shown differently");
        assert_eq!(format!("\"7.{}", &of(None, "{}").await[1..]), seven);
        assert_eq!(of(Some("\"0f3a\""), "{}").await, "\"0f3a\"", "this tag names its bytes already");
        assert_eq!(tag_of(Method::HEAD, Some("\"7\""), "").await, None);
        assert_eq!(tag_of(Method::PUT, Some("\"7\""), "{}").await.unwrap(), "\"7\"");
    }
}
