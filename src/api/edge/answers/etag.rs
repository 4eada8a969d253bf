//! Entity tags (ETags, RFC 9110 §8.8.3). The response to a write has the version of the resource as its ETag: `"7"`.
//! The ETag of a read also contains a digest of the body: `"7.0f3a…"` ([`crate::api::edge::middleware::tagged`]).
//!
//! Compression appends the content coding to an ETag: `"7-gzip"` ([`crate::api::edge::middleware::compression`]). When
//! a caller sends such an ETag back, the server ignores the coding.

use poem::http::{HeaderMap, HeaderName};

/// The content codings that the server supports, in order of preference.
pub const CODINGS: [&str; 3] = ["zstd", "br", "gzip"];

/// Formats a version as an ETag: `"7"`.
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// Formats the digest of a body as an ETag, for a resource without a version.
pub fn etag_of(body: &[u8]) -> String {
    format!("\"{}\"", digest(body))
}

/// Returns the first half of a body's SHA-256, in hexadecimal digits.
pub fn digest(body: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body);
    hex::encode(&digest.as_ref()[..16])
}

/// Reads the version from an ETag without quotes. Rejects `+7` and `007`, which the server never sends.
pub fn version_of(opaque: &str) -> Option<i64> {
    let number = opaque.split('.').next()?;
    number.parse().ok().filter(|version: &i64| version.to_string() == number)
}

/// An ETag from a request header, without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityTag {
    pub weak: bool,
    pub opaque: String,
}

impl EntityTag {
    /// Returns the version in the ETag, if it contains one. Returns `None` for every weak ETag, because `If-Match`
    /// compares strongly (RFC 9110 §13.1.1).
    pub fn version(&self) -> Option<i64> {
        if self.weak { None } else { version_of(without_coding(&self.opaque)) }
    }
}

/// The value of an `If-Match` or `If-None-Match` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntityTags {
    /// `*`, which matches any ETag.
    Any,
    List(Vec<EntityTag>),
}

impl EntityTags {
    /// Returns `None` if the text is neither `*` nor a list of ETags.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text == "*" {
            return Some(Self::Any);
        }
        let mut tags = Vec::new();
        let mut rest = text;
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']); // Empty members are allowed (RFC 9110 §5.6.1.2).
            if rest.is_empty() {
                break;
            }
            let (weak, quoted) = rest.strip_prefix("W/").map_or((false, rest), |quoted| (true, quoted));
            let (opaque, after) = quoted.strip_prefix('"')?.split_once('"')?;
            let is_sound = opaque.bytes().all(|b| b == 0x21 || (0x23..=0x7e).contains(&b) || b >= 0x80);
            if !is_sound || !(after.is_empty() || after.starts_with([' ', '\t', ','])) {
                return None;
            }
            tags.push(EntityTag { weak, opaque: opaque.to_owned() });
            rest = after;
        }
        (!tags.is_empty()).then_some(Self::List(tags))
    }

    /// Reads all values of a header as one list. Returns `None` if the header is absent, and `Some(None)` if it is
    /// malformed.
    pub fn of(headers: &HeaderMap, name: HeaderName) -> Option<Option<Self>> {
        let values: Vec<_> = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?")).collect();
        (!values.is_empty()).then(|| Self::parse(&values.join(",")))
    }

    /// Returns the caller's ETag that matches `etag`, the ETag of the response before compression. The comparison is
    /// the weak one of `If-None-Match` (RFC 9110 §13.1.2), and ignores content codings. The result is the ETag as the
    /// caller sent it, without a `W/`, so it can end with a content coding. If the caller sent `*`, the result is
    /// `etag` itself.
    pub fn seen(&self, etag: &str) -> Option<String> {
        let opaque = without_coding(etag.trim_start_matches("W/").trim_matches('"'));
        match self {
            Self::Any => Some(etag.to_owned()),
            Self::List(tags) => {
                let seen = tags.iter().find(|tag| without_coding(&tag.opaque) == opaque)?;
                Some(format!("\"{}\"", seen.opaque))
            }
        }
    }
}

fn without_coding(opaque: &str) -> &str {
    let coding = opaque.rsplit_once('-').filter(|(_, coding)| CODINGS.contains(coding));
    coding.map_or(opaque, |(before, _)| before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_list_is_read_as_it_was_written(tags in prop::collection::vec((any::<bool>(), "[!#-,.-~]{0,12}"), 1..6), gap in "[ \t]{0,3}") {
            let written: Vec<_> = tags.iter().map(|(weak, opaque)| format!("{}\"{opaque}\"", if *weak { "W/" } else { "" })).collect();
            let read = EntityTags::parse(&written.join(&format!("{gap},{gap}")));
            let expected = tags.into_iter().map(|(weak, opaque)| EntityTag { weak, opaque }).collect();
            prop_assert_eq!(read, Some(EntityTags::List(expected)));
        }

        #[test]
        fn no_text_breaks_the_reader(text in ".{0,40}") {
            let _ = EntityTags::parse(&text);
        }

        #[test]
        fn the_tag_of_a_version_matches_itself_alone(version: i64, other: i64, coding in prop::sample::select(CODINGS.to_vec())) {
            let tags = EntityTags::parse(&format!("\"{version}-{coding}\"")).unwrap();
            prop_assert_eq!(tags.seen(&etag(version)), Some(format!("\"{version}-{coding}\"")));
            prop_assert_eq!(tags.seen(&etag(other)).is_some(), version == other);
        }
    }
}
