//! Compresses answers of a kilobyte and more that are text, in the coding that the caller likes best.
//!
//! A compressed body is another representation, so it bears another strong ETag: the coding's name is appended
//! (`"7"` → `"7-gzip"`), and [`super::etag`] takes it off again when the tag comes back. Event streams are left alone,
//! since a compressor would hold events back; so is what is compressed already.

use std::future::Future;

use futures_util::TryFutureExt;
use poem::http::{HeaderMap, HeaderValue, header};
use poem::web::{Compress, CompressionAlgo};
use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};

/// The codings that we speak, the best first.
pub const CODINGS: [&str; 3] = ["zstd", "br", "gzip"];
const SMALLEST: usize = 1024;

/// The middleware.
pub struct CompressAnswers;

impl<E: Endpoint> Middleware<E> for CompressAnswers {
    type Output = Compressed<E>;

    fn transform(&self, inner: E) -> Compressed<E> {
        Compressed { inner }
    }
}

/// See [`CompressAnswers`].
pub struct Compressed<E> {
    inner: E,
}

impl<E: Endpoint> Endpoint for Compressed<E> {
    type Output = Response;

    fn call(&self, request: Request) -> impl Future<Output = Result<Response>> + Send {
        let coding = negotiate(request.headers());
        self.inner.call(request).map_ok(move |answer| compress(answer.into_response(), coding))
    }
}

fn compress(mut response: Response, coding: Option<&'static str>) -> Response {
    if !is_worth_it(&response) {
        return response;
    }
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    let Some((coding, algorithm)) = coding.and_then(|coding| Some((coding, algorithm(coding)?))) else {
        return response;
    };
    rename_tag(response.headers_mut(), coding);
    response.headers_mut().remove(header::CONTENT_LENGTH);
    Compress::new(response, algorithm).into_response()
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
    use super::*;

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
