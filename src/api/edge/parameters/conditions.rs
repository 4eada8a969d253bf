//! Conditions of a write (RFC 9110 §13), as parameters of the operation: [`IfMatch`] if the resource exists,
//! [`CreateOrMatch`] if the operation can create it. Conditions of reads are answered for all operations together:
//! [`crate::api::edge::middleware::not_modified`].

use poem::http::{HeaderMap, header};
use poem::{Request, RequestBody, Result};
use poem_openapi::registry::{MetaParamIn, MetaSchema, MetaSchemaRef};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::etag::{EntityTag, EntityTags};
use crate::api::edge::answers::problem::Problem;
use crate::domain::kernel::text::Bilingual;

/// The `If-Match` of a write: the version that the caller has read. Missing → 428.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch {
    /// `None` for `*`: any version.
    pub version: Option<i64>,
}

/// The condition of a write that can create the resource. Missing → 428.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateOrMatch {
    /// `If-None-Match: *`: only if the resource does not exist.
    Create,
    /// `If-Match`: only if the resource is still as the caller read it.
    Match(IfMatch),
}

fn condition(headers: &HeaderMap) -> Result<CreateOrMatch, Problem> {
    if EntityTags::of(headers, header::IF_NONE_MATCH).flatten() == Some(EntityTags::Any) {
        if headers.contains_key(header::IF_MATCH) {
            let either =
                Bilingual::new("If-Match 与 If-None-Match 不能同时使用", "If-Match or If-None-Match, not both");
            return Err(Problem::new(Code::InvalidParameter).detail(either));
        }
        return Ok(CreateOrMatch::Create);
    }
    let tags = EntityTags::of(headers, header::IF_MATCH).ok_or(Problem::new(Code::VersionRequired))?;
    let one = Bilingual::new("If-Match 只能是一个 ETag 或 *", "If-Match must be one ETag, or *");
    let version = match tags {
        Some(EntityTags::Any) => None,
        // A tag without a version of ours matches nothing.
        Some(EntityTags::List(tags)) if tags.len() == 1 => {
            Some(tags.first().and_then(EntityTag::version).ok_or(Problem::new(Code::VersionStale))?)
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
