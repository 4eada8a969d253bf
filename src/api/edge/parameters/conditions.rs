//! Conditions of writes (RFC 9110 §13). An operation takes [`IfMatch`], or [`CreateOrMatch`] if it can create the
//! resource. The argument must be called `if_match`. Conditions of reads are in
//! [`crate::api::edge::middleware::not_modified`].

use poem::http::{HeaderMap, header};
use poem_openapi::registry::MetaSchema;

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::etag::{EntityTag, EntityTags};
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::parameters::header::header_parameters;

/// `If-Match`: the version that the caller has read. If the header is missing, the response is 428.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch {
    /// `None` for `If-Match: *`, which matches any version.
    pub version: Option<i64>,
}

/// The condition of a write that can create the resource: `If-None-Match: *` or `If-Match`. If both headers are
/// missing, the response is 428.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateOrMatch {
    /// `If-None-Match: *`: the write succeeds only if the resource does not exist.
    Create,
    /// `If-Match`: the write succeeds only if the resource is still as the caller read it.
    Match(IfMatch),
}

fn condition(headers: &HeaderMap) -> Result<CreateOrMatch, Problem> {
    if EntityTags::of(headers, header::IF_NONE_MATCH).flatten() == Some(EntityTags::Any) {
        if headers.contains_key(header::IF_MATCH) {
            return Err(Problem::new(Code::InvalidParameter)
                .detail("If-Match 与 If-None-Match 不能同时使用", "If-Match or If-None-Match, not both"));
        }
        return Ok(CreateOrMatch::Create);
    }
    let tags = EntityTags::of(headers, header::IF_MATCH).ok_or(Problem::new(Code::VersionRequired))?;
    let version = match tags {
        Some(EntityTags::Any) => None,
        // The ETag of every resource that can be written contains a version. So an ETag without a version is never the
        // current one.
        Some(EntityTags::List(tags)) if tags.len() == 1 => {
            Some(tags.first().and_then(EntityTag::version).ok_or(Problem::new(Code::VersionStale))?)
        }
        _ => {
            return Err(Problem::new(Code::InvalidParameter)
                .detail("If-Match 只能是一个 ETag 或 *", "If-Match must be one ETag, or *"));
        }
    };
    Ok(CreateOrMatch::Match(IfMatch { version }))
}

fn schema() -> MetaSchema {
    MetaSchema {
        pattern: Some(r#"^(\*|(W/)?"[^"]*")$"#.to_owned()),
        example: Some("\"7\"".into()),
        ..MetaSchema::new("string")
    }
}

header_parameters! {
    IfMatch, required = true, schema(), |headers| match condition(headers)? {
        CreateOrMatch::Match(seen) => Ok(seen),
        CreateOrMatch::Create => Err(Problem::new(Code::VersionRequired)),
    };
    CreateOrMatch, required = false, schema(), condition;
}

#[cfg(test)]
mod tests {
    use super::*;
    use poem::http::HeaderName;

    fn read(header: HeaderName, value: &str) -> Result<CreateOrMatch, Code> {
        let headers = HeaderMap::from_iter([(header, value.parse().unwrap())]);
        condition(&headers).map_err(|problem| problem.code())
    }

    #[test]
    fn a_write_needs_a_condition_with_a_version_of_ours() {
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
}
