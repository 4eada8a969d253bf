//! Conditional requests (RFC 9110 §13). An ETag is strong. It tells the version of a resource, and of a read its bytes:
//! `"7.0f3a…"` (see [`crate::api::edge::middleware::tagged`]).
//!
//! `If-None-Match` on reads is answered in one place, [`AnswerNotModified`]. `If-Match` on writes is a parameter of the
//! operation: [`IfMatch`] where the resource exists, [`CreateOrMatch`] where it may be made. Compression appends its
//! name to a tag (`"7-gzip"`, see [`crate::api::edge::middleware::compression`]); a tag that comes back with it counts as the tag without.

use std::future::Future;

use futures_util::TryFutureExt;
use poem::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use poem::{Body, Endpoint, IntoResponse, Middleware, Request, RequestBody, Response, Result};
use poem_openapi::registry::{MetaParamIn, MetaSchema, MetaSchemaRef};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::middleware::compression::CODINGS;
use crate::domain::kernel::text::Bilingual;

/// The ETag of a version.
#[must_use]
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// The ETag of a body.
#[must_use]
pub fn etag_of(body: &[u8]) -> String {
    format!("\"{}\"", digest(body))
}

/// What names a body.
pub(in crate::api::edge) fn digest(body: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body);
    hex::encode(&digest.as_ref()[..16])
}

/// The version that a tag tells, without its quotes; `None` for one that tells none: `+7` and `007` are no tags of ours.
pub(in crate::api::edge) fn version_of(opaque: &str) -> Option<i64> {
    let number = opaque.split('.').next()?;
    number.parse().ok().filter(|version: &i64| version.to_string() == number)
}

/// One tag of a condition, without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Whether it is marked weak.
    pub weak: bool,
    /// The opaque text, as it was sent.
    pub opaque: String,
}

/// What a condition names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tags {
    /// `*`: whatever is there.
    Any,
    /// These.
    List(Vec<Tag>),
}

impl Tags {
    /// Reads the value of `If-Match` or `If-None-Match`; `None` if it is neither `*` nor a list of tags.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text == "*" {
            return Some(Self::Any);
        }
        let mut tags = Vec::new();
        let mut rest = text;
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']); // Empty members are allowed (§5.6.1.2).
            if rest.is_empty() {
                break;
            }
            let (weak, quoted) = rest.strip_prefix("W/").map_or((false, rest), |quoted| (true, quoted));
            let (opaque, after) = quoted.strip_prefix('"')?.split_once('"')?;
            let is_sound = opaque.bytes().all(|b| b == 0x21 || (0x23..=0x7e).contains(&b) || b >= 0x80);
            if !is_sound || !(after.is_empty() || after.starts_with([' ', '\t', ','])) {
                return None;
            }
            tags.push(Tag { weak, opaque: opaque.to_owned() });
            rest = after;
        }
        (!tags.is_empty()).then_some(Self::List(tags))
    }

    /// All values of a header as one list.
    fn of(headers: &HeaderMap, name: HeaderName) -> Option<Option<Self>> {
        let values: Vec<_> = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?")).collect();
        (!values.is_empty()).then(|| Self::parse(&values.join(",")))
    }

    /// The tag that the caller has, if it is this one, compared weakly as `If-None-Match` wants it (§13.1.2). It may
    /// bear the name of a compression, which this one gets later.
    #[must_use]
    pub fn seen(&self, etag: &str) -> Option<String> {
        let opaque = plain(etag.trim_start_matches("W/").trim_matches('"'));
        match self {
            Self::Any => Some(etag.to_owned()),
            Self::List(tags) => {
                let seen = tags.iter().find(|tag| plain(&tag.opaque) == opaque)?;
                Some(format!("\"{}\"", seen.opaque))
            }
        }
    }
}

/// A tag's text without the name of a compression.
fn plain(opaque: &str) -> &str {
    let coding = opaque.rsplit_once('-').filter(|(_, coding)| CODINGS.contains(coding));
    coding.map_or(opaque, |(before, _)| before)
}

/// The `If-Match` of a write: which version the caller has seen. Missing → 428.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch {
    /// The version; `None` for `*`: any.
    pub version: Option<i64>,
}

/// The condition of a write that may make the resource. Missing → 428.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateOrMatch {
    /// `If-None-Match: *`: only if it is not there yet.
    Create,
    /// `If-Match`: only if it is still as seen.
    Match(IfMatch),
}

fn condition(headers: &HeaderMap) -> Result<CreateOrMatch, Problem> {
    if Tags::of(headers, header::IF_NONE_MATCH).flatten() == Some(Tags::Any) {
        if headers.contains_key(header::IF_MATCH) {
            let either =
                Bilingual::new("If-Match 与 If-None-Match 不能同时使用", "If-Match or If-None-Match, not both");
            return Err(Problem::new(Code::InvalidParameter).detail(either));
        }
        return Ok(CreateOrMatch::Create);
    }
    let tags = Tags::of(headers, header::IF_MATCH).ok_or(Problem::new(Code::VersionRequired))?;
    let one = Bilingual::new("If-Match 只能是一个 ETag 或 *", "If-Match must be one ETag, or *");
    let version = match tags {
        Some(Tags::Any) => None,
        // A weak tag, and one that we never gave, match nothing (§13.1.1).
        Some(Tags::List(tags)) if tags.len() == 1 => {
            let tag = tags.first().filter(|tag| !tag.weak);
            Some(tag.and_then(|tag| version_of(plain(&tag.opaque))).ok_or(Problem::new(Code::VersionStale))?)
        }
        _ => return Err(Problem::new(Code::InvalidParameter).detail(one)),
    };
    Ok(CreateOrMatch::Match(IfMatch { version }))
}

fn schema(example: &str) -> MetaSchemaRef {
    MetaSchemaRef::Inline(Box::new(MetaSchema {
        pattern: Some(r#"^(\*|(W/)?"[^"]*")$"#.to_owned()),
        example: Some(example.into()),
        ..MetaSchema::new("string")
    }))
}

/// The two conditions as parameters: name the argument `if_match`.
macro_rules! conditions {
    ($($name:ident, required = $required:literal, $pick:expr;)*) => {$(
        impl<'a> ApiExtractor<'a> for $name {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
            const PARAM_IS_REQUIRED: bool = $required;
            type ParamType = String;
            type ParamRawType = String;

            fn param_in() -> Option<MetaParamIn> {
                Some(MetaParamIn::Header)
            }

            fn param_schema_ref() -> Option<MetaSchemaRef> {
                Some(schema("\"7\""))
            }

            async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<String>) -> Result<Self> {
                let pick: fn(CreateOrMatch) -> Result<Self, Problem> = $pick;
                Ok(pick(condition(request.headers())?)?)
            }
        }
    )*};
}

conditions! {
    IfMatch, required = true, |condition| match condition {
        CreateOrMatch::Match(seen) => Ok(seen),
        CreateOrMatch::Create => Err(Problem::new(Code::VersionRequired)),
    };
    CreateOrMatch, required = false, Ok;
}

/// The middleware: a read whose answer the caller has already is answered 304, without a body.
pub struct AnswerNotModified;

impl<E: Endpoint> Middleware<E> for AnswerNotModified {
    type Output = Conditional<E>;

    fn transform(&self, inner: E) -> Conditional<E> {
        Conditional { inner }
    }
}

/// See [`AnswerNotModified`].
pub struct Conditional<E> {
    inner: E,
}

impl<E: Endpoint> Endpoint for Conditional<E> {
    type Output = Response;

    fn call(&self, request: Request) -> impl Future<Output = Result<Response>> + Send {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let seen = if reads { Tags::of(request.headers(), header::IF_NONE_MATCH).flatten() } else { None };
        self.inner.call(request).map_ok(move |answer| unless_seen(answer.into_response(), seen))
    }
}

fn unless_seen(mut response: Response, seen: Option<Tags>) -> Response {
    let tag = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
    let seen = seen.zip(tag).and_then(|(seen, tag)| seen.seen(tag));
    if let Some(Ok(seen)) = seen.map(|tag| HeaderValue::from_str(&tag))
        && response.status() == StatusCode::OK
    {
        response.set_status(StatusCode::NOT_MODIFIED);
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        headers.remove(header::CONTENT_LENGTH);
        // The tag of what the caller has: a cache freshens no other (RFC 9111 §4.3.4).
        headers.insert(header::ETAG, seen);
        headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        response.set_body(Body::empty());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(header: HeaderName, value: &str) -> Result<CreateOrMatch, Code> {
        let headers = HeaderMap::from_iter([(header, value.parse().unwrap())]);
        condition(&headers).map_err(|problem| problem.code())
    }

    #[test]
    fn a_write_needs_a_condition_that_it_understands() {
        let version = |version| Ok(CreateOrMatch::Match(IfMatch { version }));
        assert_eq!(read(header::IF_MATCH, "\"7\""), version(Some(7)));
        assert_eq!(read(header::IF_MATCH, "\"7-gzip\""), version(Some(7)));
        assert_eq!(read(header::IF_MATCH, "\"7.0f3a-zstd\""), version(Some(7)));
        assert_eq!(read(header::IF_MATCH, "*"), version(None));
        assert_eq!(read(header::IF_NONE_MATCH, "*"), Ok(CreateOrMatch::Create));
        assert_eq!(read(header::IF_MATCH, "W/\"7\""), Err(Code::VersionStale));
        for foreign in ["\"seven\"", "\"+7\"", "\"007\"", "\"\""] {
            assert_eq!(read(header::IF_MATCH, foreign), Err(Code::VersionStale), "{foreign}");
        }
        assert_eq!(read(header::IF_MATCH, "\"7\", \"8\""), Err(Code::InvalidParameter));
        assert_eq!(read(header::IF_MATCH, "7"), Err(Code::InvalidParameter));
        assert_eq!(read(header::IF_NONE_MATCH, "\"7\""), Err(Code::VersionRequired));
        assert_eq!(read(header::ACCEPT, "*/*"), Err(Code::VersionRequired));
        let any = || "*".parse().unwrap();
        let both = HeaderMap::from_iter([(header::IF_MATCH, any()), (header::IF_NONE_MATCH, any())]);
        assert_eq!(condition(&both).map_err(|problem| problem.code()), Err(Code::InvalidParameter));
    }

    proptest! {
        #[test]
        fn a_list_is_read_as_it_was_written(tags in prop::collection::vec((any::<bool>(), "[!#-,.-~]{0,12}"), 1..6), gap in "[ \t]{0,3}") {
            let written: Vec<_> = tags.iter().map(|(weak, opaque)| format!("{}\"{opaque}\"", if *weak { "W/" } else { "" })).collect();
            let read = Tags::parse(&written.join(&format!("{gap},{gap}")));
            let expected = tags.into_iter().map(|(weak, opaque)| Tag { weak, opaque }).collect();
            prop_assert_eq!(read, Some(Tags::List(expected)));
        }

        #[test]
        fn no_text_breaks_the_reader(text in ".{0,40}") {
            let _ = Tags::parse(&text);
        }

        #[test]
        fn the_tag_of_a_version_matches_itself_alone(version: i64, other: i64, coding in prop::sample::select(CODINGS.to_vec())) {
            let tags = Tags::parse(&format!("\"{version}-{coding}\"")).unwrap();
            prop_assert_eq!(tags.seen(&etag(version)), Some(format!("\"{version}-{coding}\"")));
            prop_assert_eq!(tags.seen(&etag(other)).is_some(), version == other);
        }
    }
}
