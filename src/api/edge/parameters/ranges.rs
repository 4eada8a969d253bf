//! Range requests (RFC 9110 §14): a client asks for a part of a file. An operation takes [`WantedRange`] as an argument
//! called `range`.

use std::ops::Range;

use poem::http::{HeaderMap, HeaderValue, header};
use poem_openapi::registry::MetaSchema;

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::etag::EntityTags;
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::parameters::header::header_parameters;

/// `Range`: one range of bytes. Anything else in the header is ignored, as the standard allows, and the answer is the
/// whole file. With `If-Range`, the range counts only if the file still has this ETag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedRange {
    range: Option<ByteRange>,
    /// The ETag in `If-Range`; the inner value is `None` if the header has something else.
    if_range: Option<Option<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ByteRange {
    /// `bytes=500-999` or `bytes=500-`: the first and the last byte.
    From(u64, Option<u64>),
    /// `bytes=-500`: this many bytes at the end.
    Last(u64),
}

impl WantedRange {
    /// Returns the bytes that the client wants of a file; `None` for the whole file. Fails with 416 if the file has
    /// none of these bytes.
    pub fn of(&self, etag: &str, length: u64) -> Result<Option<Range<u64>>, Problem> {
        let is_current = self.if_range.as_ref().is_none_or(|seen| seen.as_deref() == Some(etag));
        let Some(range) = self.range.filter(|_| is_current) else { return Ok(None) };
        let range = match range {
            ByteRange::From(first, last) => first..last.map_or(length, |last| last.saturating_add(1)).min(length),
            ByteRange::Last(count) => length.saturating_sub(count)..length,
        };
        if range.is_empty() { Err(not_satisfiable(length)) } else { Ok(Some(range)) }
    }
}

fn not_satisfiable(length: u64) -> Problem {
    let problem = Problem::new(Code::RangeNotSatisfiable);
    match HeaderValue::from_str(&format!("bytes */{length}")) {
        Ok(whole) => problem.header(header::CONTENT_RANGE, whole),
        Err(_) => problem,
    }
}

fn parse(text: &str) -> Option<ByteRange> {
    let (unit, range) = text.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    let number = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    match (first, last) {
        ("", count) => Some(ByteRange::Last(number(count)?)),
        (first, "") => Some(ByteRange::From(number(first)?, None)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(ByteRange::From(first, Some(last)))
        }
    }
}

fn wanted(headers: &HeaderMap) -> Result<WantedRange, Problem> {
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or_default());
    let strong = |text: &str| match EntityTags::parse(text)? {
        EntityTags::List(tags) if tags.len() == 1 && !tags[0].weak => Some(format!("\"{}\"", tags[0].opaque)),
        _ => None,
    };
    Ok(WantedRange { range: text(header::RANGE).and_then(parse), if_range: text(header::IF_RANGE).map(strong) })
}

fn schema() -> MetaSchema {
    MetaSchema { example: Some("bytes=0-65535".into()), ..MetaSchema::new("string") }
}

header_parameters! {
    WantedRange, required = false, schema(), wanted;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(range: &str, if_range: Option<&str>) -> Result<Option<Range<u64>>, Code> {
        let mut headers = HeaderMap::from_iter([(header::RANGE, range.parse().unwrap())]);
        headers.extend(if_range.map(|tag| (header::IF_RANGE, tag.parse().unwrap())));
        wanted(&headers).unwrap().of("\"0f3a\"", 10_000).map_err(|problem| problem.code())
    }

    #[test]
    fn the_examples_of_the_standard_are_understood() {
        assert_eq!(of("bytes=0-499", None), Ok(Some(0..500)));
        assert_eq!(of("bytes=500-999", None), Ok(Some(500..1_000)));
        assert_eq!(of("bytes=-500", None), Ok(Some(9_500..10_000)));
        assert_eq!(of("bytes=9500-", None), Ok(Some(9_500..10_000)));
        assert_eq!(of("bytes=9999-20000", None), Ok(Some(9_999..10_000)));
        assert_eq!(of("bytes=-20000", None), Ok(Some(0..10_000)));
        for beyond in ["bytes=10000-", "bytes=10000-10001", "bytes=-0", "bytes=18446744073709551615-"] {
            assert_eq!(of(beyond, None), Err(Code::RangeNotSatisfiable), "{beyond}");
        }
        let ignored = [
            "bytes=0-0,-1",
            "bytes=5-4",
            "bytes=",
            "bytes=a-b",
            "bytes=+1-2",
            "lines=1-2",
            "bytes",
            "bytes=99999999999999999999-",
        ];
        for ignored in ignored {
            assert_eq!(of(ignored, None), Ok(None), "{ignored}");
        }
    }

    #[test]
    fn a_part_of_another_representation_is_not_wanted() {
        assert_eq!(of("bytes=0-9", Some("\"0f3a\"")), Ok(Some(0..10)));
        for other in ["\"0f3b\"", "W/\"0f3a\"", "*", "Sat, 29 Oct 1994 19:43:31 GMT", "\"0f3a\", \"0f3b\""] {
            assert_eq!(of("bytes=0-9", Some(other)), Ok(None), "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_range_is_within_the_file(text in "(bytes=)?[0-9]{0,20}-[0-9]{0,20}", length in 1_u64..100_000) {
            let wanted = WantedRange { range: parse(&text), if_range: None };
            if let Ok(Some(range)) = wanted.of("", length) {
                prop_assert!(range.start < range.end && range.end <= length);
            }
        }
    }
}
