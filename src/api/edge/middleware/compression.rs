//! Compresses answers of a kilobyte and more that are text, in the coding that the caller likes best.
//!
//! A compressed body is another representation, so it bears another strong ETag: the coding's name is appended
//! (`"7"` → `"7-gzip"`), and [`crate::api::edge::answers::etag`] takes it off again when the tag comes back. Event streams are left alone,
//! since a compressor would hold events back; so is what is compressed already.

use std::sync::Arc;

use bytes::Bytes;
use poem::http::{HeaderMap, HeaderValue, Method, Uri, header};
use poem::web::{Compress, CompressionAlgo};
use poem::{Body, Endpoint, IntoResponse, Middleware, Request, Response, Result};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// The codings that we speak, the best first.
pub const CODINGS: [&str; 3] = ["zstd", "br", "gzip"];
const SMALLEST: usize = 1024;
/// How many compressed answers there may be: every guide in every coding, and some more.
const KEPT: usize = 1_000;
/// How many bytes of them and of their addresses are kept. An address bears whatever a caller likes to ask with, so the
/// number alone would bound nothing.
const KEPT_BYTES: u64 = 8 << 20;

/// The middleware.
pub struct CompressAnswers;

impl<E: Endpoint> Middleware<E> for CompressAnswers {
    type Output = Compressed<E>;

    fn transform(&self, inner: E) -> Compressed<E> {
        Compressed { inner, kept: Arc::new(Cache::with_weighter(KEPT, KEPT_BYTES, Bulk)) }
    }
}

/// See [`CompressAnswers`].
pub struct Compressed<E> {
    inner: E,
    kept: Arc<Kept>,
}

/// Answers for everybody, compressed. They are read all day and change a few times in it, and compressing one takes far
/// longer than everything else that is done for it.
type Kept = Cache<Key, Bytes, Bulk>;
/// Address, tag and coding.
type Key = (Uri, HeaderValue, &'static str);

/// What an answer takes up.
#[derive(Clone)]
struct Bulk;

impl Weighter<Key, Bytes> for Bulk {
    fn weight(&self, (address, ..): &Key, answer: &Bytes) -> u64 {
        let asked = address.path_and_query().map_or(0, |asked| asked.as_str().len());
        (asked + answer.len()) as u64
    }
}

impl<E: Endpoint> Endpoint for Compressed<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let coding = negotiate(request.headers());
        let read = coding.filter(|_| request.method() == Method::GET).map(|_| request.uri().clone());
        let answer = self.inner.call(request).await?.into_response();
        compress(answer, coding, read, &self.kept).await
    }
}

/// Compresses an answer; `read` is the address, where it was read.
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
    let tag = response.headers().get(header::ETAG).filter(|_| is_for_everybody(&response)).cloned();
    rename_tag(response.headers_mut(), coding);
    response.headers_mut().remove(header::CONTENT_LENGTH);
    let Some(key) = read.zip(tag).map(|(address, tag)| (address, tag, coding)) else {
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

/// Whether shared caches may keep it. Then so may we.
fn is_for_everybody(response: &Response) -> bool {
    response.header(header::CACHE_CONTROL).is_some_and(|control| control.contains("public"))
}

fn algorithm(coding: &str) -> Option<CompressionAlgo> {
    coding.parse().ok()
}

/// Text that is long enough; of a body whose length is unknown, everything but event streams.
fn is_worth_it(response: &Response) -> bool {
    let kind = response.content_type().unwrap_or_default();
    let is_text = ["json", "text/", "javascript", "xml"].iter().any(|part| kind.contains(part));
    let is_stream = kind.starts_with("text/event-stream");
    let is_plain = response.header(header::CONTENT_ENCODING).is_none();
    let length = response.header(header::CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    let is_long = length.is_none_or(|length| length >= SMALLEST);
    is_text && !is_stream && is_plain && is_long && response.status().is_success()
}

/// The coding with the highest weight; of equals, our favourite (RFC 9110 §12.5.3).
fn negotiate(headers: &HeaderMap) -> Option<&'static str> {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let wanted: Vec<(&str, f32)> = values.flat_map(|value| value.split(',')).map(weigh).collect();
    let weight = |coding: &str| {
        let named = wanted.iter().find(|(name, _)| name.eq_ignore_ascii_case(coding));
        named.or_else(|| wanted.iter().find(|(name, _)| *name == "*")).map_or(0.0, |(_, weight)| *weight)
    };
    let mut best = (None, 0.0);
    for coding in CODINGS {
        if weight(coding) > best.1 {
            best = (Some(coding), weight(coding));
        }
    }
    best.0
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
    use poem::endpoint::make_sync;
    use poem::test::TestClient;

    use super::*;

    /// Says its own address at length.
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
        let (coding, tag) = (header(header::CONTENT_ENCODING), header(header::ETAG));
        (coding, tag, answer.into_body().into_vec().await.unwrap())
    }

    #[tokio::test]
    async fn what_everybody_reads_is_compressed_once() {
        let public = CompressAnswers.transform(make_sync(|request| echo(&request, "public, max-age=60")));
        let kept = Arc::clone(&public.kept);
        let cli = TestClient::new(public);
        let (first, again) = (asked(&cli, "/a").await, asked(&cli, "/a").await);
        assert_eq!((first.0.as_str(), first.1.as_str()), ("gzip", "\"1-gzip\""));
        assert_eq!((&first, kept.len()), (&again, 1));
        assert_ne!(asked(&cli, "/b").await.2, first.2, "another page, though of the same tag");

        let own = CompressAnswers.transform(make_sync(|request| echo(&request, "private, no-cache")));
        let kept = Arc::clone(&own.kept);
        assert_eq!(asked(&TestClient::new(own), "/a").await.0, "gzip");
        assert_eq!(kept.len(), 0, "one person's answer is kept nowhere");
    }

    #[test]
    fn the_best_liked_coding_wins() {
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
