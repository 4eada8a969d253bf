//! Every read has a strong tag: whatever JSON a caller reads can be asked for again only if it changed.
//!
//! A version alone does not tell what a reader sees: a draft shows what is wrong with it *today*, in the reader's language.
//! So the tag of a read names the bytes, behind the version where there is one: `"7.0f3a…"`. [`crate::api::edge::answers::etag::IfMatch`]
//! looks at the version, `If-None-Match` at the whole.

use std::future::Future;

use futures_util::TryFutureExt;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, Error, IntoResponse, Middleware, Request, Response, Result};

use crate::api::edge::answers::etag::{digest, version_of};

/// The middleware.
pub struct TagReads;

impl<E: Endpoint> Middleware<E> for TagReads {
    type Output = Tagged<E>;

    fn transform(&self, inner: E) -> Tagged<E> {
        Tagged { inner }
    }
}

/// See [`TagReads`].
pub struct Tagged<E> {
    inner: E,
}

impl<E: Endpoint> Endpoint for Tagged<E> {
    type Output = Response;

    fn call(&self, request: Request) -> impl Future<Output = Result<Response>> + Send {
        let method = request.method().clone();
        self.inner.call(request).and_then(move |answer| tag(method, answer.into_response()))
    }
}

async fn tag(method: Method, mut response: Response) -> Result<Response> {
    let Some(version) = untold(&response) else { return Ok(response) };
    if method == Method::HEAD {
        // It has no bytes to name.
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
        // Compression goes by it.
        response.headers_mut().insert(header::CONTENT_LENGTH, bytes.len().into());
        response.set_body(bytes);
    }
    Ok(response)
}

/// Of JSON whose tag does not name its bytes yet: its version, if it has one.
fn untold(response: &Response) -> Option<Option<i64>> {
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
    use poem::endpoint::make_sync;
    use poem::{EndpointExt, Response};

    use super::*;

    async fn tag_of(method: Method, own: Option<&'static str>, body: &'static str) -> Option<String> {
        let read = make_sync(move |_| {
            let mut answer = Response::builder().content_type("application/json; charset=utf-8").body(body);
            if let Some(tag) = own {
                answer.headers_mut().insert(header::ETAG, HeaderValue::from_static(tag));
            }
            answer
        });
        let answer = read.with(TagReads).call(Request::builder().method(method).finish()).await.unwrap();
        answer.header("etag").map(str::to_owned)
    }

    #[tokio::test]
    async fn a_tag_names_version_and_bytes() {
        let of = async |own, body| tag_of(Method::GET, own, body).await.unwrap();
        let seven = of(Some("\"7\""), "{}").await;
        assert!(seven.starts_with("\"7.") && seven == of(Some("\"7\""), "{}").await);
        assert_ne!(seven, of(Some("\"8\""), "{}").await);
        assert_ne!(seven, of(Some("\"7\""), "[]").await, "the same version, seen otherwise");
        assert_eq!(format!("\"7.{}", &of(None, "{}").await[1..]), seven);
        assert_eq!(of(Some("\"0f3a\""), "{}").await, "\"0f3a\"", "it names its bytes already");
        assert_eq!(tag_of(Method::HEAD, Some("\"7\""), "").await, None);
        assert_eq!(tag_of(Method::PUT, Some("\"7\""), "{}").await.unwrap(), "\"7\"");
    }
}
