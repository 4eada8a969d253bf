//! Compresses text responses of at least a kilobyte with the content coding that the caller prefers.
//!
//! A compressed body is another representation, so it needs another strong ETag: the coding is appended (`"7"` →
//! `"7-gzip"`). [`crate::api::edge::answers::etag`] ignores the coding when the caller sends the ETag back. Event
//! streams are not compressed, because a compressor would delay events.
//!
//! poem's own middleware handles neither ETags nor caches, so only its compressor is used here.

use bytes::Bytes;
use poem::http::{HeaderMap, HeaderValue, Method, Uri, header};
use poem::web::{Compress, CompressionAlgo};
use poem::{Body, IntoResponse, Request, Response, Result};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::api::edge::answers::etag::CODINGS;
use crate::api::edge::middleware::layer::{Inner, Layer};

const SMALLEST: usize = 1024;
/// The expected number of compressed responses in the cache: the guide (办事指南) of every item in every coding, and some
/// more.
const KEPT: usize = 1_000;
/// The maximum size of the cache in bytes: compressed responses and their URLs. Only this limit bounds the memory,
/// because callers choose the URLs, and so the number of entries.
const KEPT_BYTES: u64 = 8 << 20;

pub struct CompressAnswers {
    kept: Kept,
}

impl Default for CompressAnswers {
    fn default() -> Self {
        Self { kept: Cache::with_weighter(KEPT, KEPT_BYTES, Bytesize) }
    }
}

/// A cache of compressed responses that are the same for every caller. They seldom change, and compressing one takes
/// far longer than the rest of the request.
type Kept = Cache<Key, Bytes, Bytesize>;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    address: Uri,
    tag: HeaderValue,
    coding: &'static str,
}

/// Weighs a response in the cache by its bytes and those of its URL.
#[derive(Clone)]
struct Bytesize;

impl Weighter<Key, Bytes> for Bytesize {
    fn weight(&self, key: &Key, answer: &Bytes) -> u64 {
        let address = key.address.path_and_query().map_or(0, |address| address.as_str().len());
        (address + answer.len()) as u64
    }
}

impl Layer for CompressAnswers {
    async fn answer(&self, request: Request, inner: &impl Inner) -> Result<Response> {
        let coding = negotiate(request.headers());
        let read = coding.filter(|_| request.method() == Method::GET).map(|_| request.uri().clone());
        let answer = inner.call(request).await?;
        compress(answer, coding, read, &self.kept).await
    }
}

/// Compresses a response. `read` is the URL of a GET request, whose response can be cached; `None` for other methods.
async fn compress(
    mut response: Response,
    coding: Option<&'static str>,
    read: Option<Uri>,
    kept: &Kept,
) -> Result<Response> {
    if !is_worth_it(&response) {
        return Ok(response);
    }
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    let Some((coding, algorithm)) = coding.and_then(|coding| Some((coding, algorithm(coding)?))) else {
        return Ok(response);
    };
    let tag = response.headers().get(header::ETAG).filter(|_| is_public(&response)).cloned();
    rename_tag(response.headers_mut(), coding);
    response.headers_mut().remove(header::CONTENT_LENGTH);
    let Some(key) = read.zip(tag).map(|(address, tag)| Key { address, tag, coding }) else {
        return Ok(Compress::new(response, algorithm).into_response());
    };
    if let Some(known) = kept.get(&key) {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        response.set_body(known);
        return Ok(response);
    }
    let (parts, body) = Compress::new(response, algorithm).into_response().into_parts();
    let compressed = body.into_bytes().await?;
    kept.insert(key, compressed.clone());
    Ok(Response::from_parts(parts, Body::from(compressed)))
}

/// True if the response is the same for every caller, so that it can be cached.
fn is_public(response: &Response) -> bool {
    response.header(header::CACHE_CONTROL).is_some_and(|control| control.contains("public"))
}

fn algorithm(coding: &str) -> Option<CompressionAlgo> {
    coding.parse().ok()
}

/// True if compression pays off: a successful text response that is long enough or of unknown length. Always false for
/// an event stream.
fn is_worth_it(response: &Response) -> bool {
    let kind = response.content_type().unwrap_or_default();
    let is_text = ["json", "text/", "javascript", "xml"].iter().any(|part| kind.contains(part));
    let is_stream = kind.starts_with("text/event-stream");
    let is_plain = response.header(header::CONTENT_ENCODING).is_none();
    let length = response.header(header::CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    let is_long = length.is_none_or(|length| length >= SMALLEST);
    is_text && !is_stream && is_plain && is_long && response.status().is_success()
}

/// Returns the supported coding with the highest weight in `Accept-Encoding` (RFC 9110 §12.5.3). Of codings with the
/// same weight, the first in [`CODINGS`] wins.
fn negotiate(headers: &HeaderMap) -> Option<&'static str> {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let wanted: Vec<(&str, f32)> = values.flat_map(|value| value.split(',')).map(weigh).collect();
    let weight = |coding: &str| {
        let named = wanted.iter().find(|(name, _)| name.eq_ignore_ascii_case(coding));
        named.or_else(|| wanted.iter().find(|(name, _)| *name == "*")).map_or(0.0, |(_, weight)| *weight)
    };
    let mut best = None;
    let mut highest = 0.0;
    for coding in CODINGS {
        let weight = weight(coding);
        if weight > highest {
            best = Some(coding);
            highest = weight;
        }
    }
    best
}

fn weigh(range: &str) -> (&str, f32) {
    let (name, weight) = range.split_once(';').unwrap_or((range, "q=1"));
    (name.trim(), weight.trim().strip_prefix("q=").and_then(|q| q.parse().ok()).unwrap_or(0.0))
}

fn rename_tag(headers: &mut HeaderMap, coding: &str) {
    let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).and_then(|tag| tag.strip_suffix('"'));
    if let Some(Ok(tag)) = tag.map(|tag| HeaderValue::from_str(&format!("{tag}-{coding}\""))) {
        headers.insert(header::ETAG, tag);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use poem::Endpoint;
    use poem::endpoint::make_sync;
    use poem::test::TestClient;

    use super::*;
    use crate::api::edge::middleware::layer::WithLayer;

    impl Layer for Arc<CompressAnswers> {
        async fn answer(&self, request: Request, inner: &impl Inner) -> Result<Response> {
            (**self).answer(request, inner).await
        }
    }

    /// Responds with the path of the request, repeated until it is long enough to be compressed.
    fn echo(request: &Request, caching: &'static str) -> Response {
        let text = request.uri().path().repeat(SMALLEST);
        Response::builder()
            .content_type("text/plain")
            .header(header::ETAG, "\"1\"")
            .header(header::CACHE_CONTROL, caching)
            .body(text)
    }

    async fn asked(cli: &TestClient<impl Endpoint>, path: &str) -> (String, String, Vec<u8>) {
        let answer = cli.get(path).header("accept-encoding", "gzip").send().await.0;
        let header = |name| answer.header(name).unwrap_or_default().to_owned();
        let coding = header(header::CONTENT_ENCODING);
        let tag = header(header::ETAG);
        (coding, tag, answer.into_body().into_vec().await.unwrap())
    }

    #[tokio::test]
    async fn a_public_answer_is_compressed_once() {
        let compress = Arc::new(CompressAnswers::default());
        let echo_as = |caching| make_sync(move |request| echo(&request, caching)).layer(Arc::clone(&compress));
        let cli = TestClient::new(echo_as("public, max-age=60"));
        let first = asked(&cli, "/a").await;
        let again = asked(&cli, "/a").await;
        assert_eq!((first.0.as_str(), first.1.as_str()), ("gzip", "\"1-gzip\""));
        assert_eq!((&first, compress.kept.len()), (&again, 1));
        assert_ne!(asked(&cli, "/b").await.2, first.2, "another page with the same tag");
        let kept = compress.kept.len();
        assert_eq!(asked(&TestClient::new(echo_as("private, no-cache")), "/a").await.0, "gzip");
        assert_eq!(compress.kept.len(), kept, "the answer to one person is not kept");
    }

    #[test]
    fn the_preferred_coding_wins() {
        for (header, coding) in [
            ("gzip, deflate, br", Some("br")),
            ("gzip;q=1.0, br;q=0.5", Some("gzip")),
            ("*", Some("zstd")),
            ("zstd;q=0, *;q=0.1", Some("br")),
            ("identity", None),
            ("gzip;q=0", None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, header.parse().unwrap())]);
            assert_eq!(negotiate(&headers), coding, "{header}");
        }
        assert_eq!(negotiate(&HeaderMap::new()), None);
        assert!(CODINGS.into_iter().all(|coding| algorithm(coding).is_some()));
    }
}
