//! `Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header): the header, and the fingerprint of a request.
//! The use case stores the answer ([`crate::casework::frame::idempotency`]); [`crate::api::edge::answers::stored`]
//! sends it.

use aws_lc_rs::digest::{SHA256, digest};
use poem::http::{HeaderName, HeaderValue};
use poem::{Request, RequestBody, Result};
use poem_openapi::registry::{MetaParamIn, MetaSchema, MetaSchemaRef};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde_json::Value;

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::casework::frame::idempotency::IdempotentRequest;
use crate::domain::kernel::text::Bilingual;

pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const LONGEST: usize = 255;

/// The caller's key: one per intent, the same for every repetition. Name the argument `idempotency_key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The request that is to have its effect once: this body, for this operation, from this caller.
    pub fn once(self, caller: impl ToString, operation: &str, body: &Value) -> IdempotentRequest {
        let scope = format!("{}:{operation}", caller.to_string());
        IdempotentRequest { scope, key: self.0, fingerprint: fingerprint(operation, body) }
    }

    /// The key itself, for a use case that stores it with its effect.
    pub fn into_inner(self) -> String {
        self.0
    }

    /// A bare word, or a quoted string as the draft has it.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let key = text.strip_prefix('"').map_or(Some(text), |rest| rest.strip_suffix('"'))?;
        let is_sound = (1..=LONGEST).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
        is_sound.then(|| Self(key.to_owned()))
    }
}

/// SHA-256 of an operation and a body. The order of members and white space do not matter.
pub fn fingerprint(operation: &str, body: &Value) -> [u8; 32] {
    // serde_json keeps objects sorted by name, so its text is canonical.
    let hash = digest(&SHA256, format!("{operation}\n{body}").as_bytes());
    hash.as_ref().try_into().unwrap_or_default()
}

/// The caller's key, for an operation that does not demand one. Name the argument `idempotency_key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionalKey(Option<IdempotencyKey>);

impl OptionalKey {
    /// The request that is to have its effect once, if the caller sent a key; see [`IdempotencyKey::once`].
    pub fn once(self, caller: impl ToString, operation: &str, body: &Value) -> Option<IdempotentRequest> {
        self.0.map(|key| key.once(caller, operation, body))
    }
}

/// The key of a request, if it has one.
fn key_of(request: &Request) -> Result<Option<IdempotencyKey>, Problem> {
    let unsound = || {
        Problem::new(Code::InvalidParameter).detail(Bilingual::new(
            "Idempotency-Key 须为 1 至 255 个可见 ASCII 字符",
            "Idempotency-Key must be 1 to 255 visible ASCII characters",
        ))
    };
    let header = request.headers().get(IDEMPOTENCY_KEY);
    let read = |header: &HeaderValue| header.to_str().ok().and_then(IdempotencyKey::parse).ok_or_else(unsound);
    header.map(read).transpose()
}

fn schema() -> MetaSchemaRef {
    MetaSchemaRef::Inline(Box::new(MetaSchema {
        min_length: Some(1),
        max_length: Some(LONGEST),
        pattern: Some("^[!#-~]*$".to_owned()),
        example: Some("8e03978e-40d5-43dd-bc93-6894a57f9324".into()),
        ..MetaSchema::new("string")
    }))
}

/// The header as a parameter, required or not.
macro_rules! keys {
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
                Some(schema())
            }

            async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<String>) -> Result<Self> {
                let pick: fn(Option<IdempotencyKey>) -> Result<Self, Problem> = $pick;
                Ok(pick(key_of(request)?)?)
            }
        }
    )*};
}

keys! {
    IdempotencyKey, required = true, |key| key.ok_or(Problem::new(Code::IdempotencyKeyMissing));
    OptionalKey, required = false, |key| Ok(Self(key));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_fingerprint_ignores_form_and_sees_content() {
        let read = |text: &str| fingerprint("submit", &serde_json::from_str(text).unwrap());
        assert_eq!(read(r#"{"a":1,"b":[2]}"#), read(r#"{ "b": [ 2 ], "a": 1 }"#));
        assert_ne!(read(r#"{"a":1}"#), read(r#"{"a":2}"#));
        assert_ne!(read("[1,2]"), read("[2,1]"));
        assert_ne!(fingerprint("submit", &json!({})), fingerprint("decide", &json!({})));
    }

    #[test]
    fn a_key_is_visible_and_short() {
        let long = "x".repeat(LONGEST + 1);
        for wrong in ["", "  ", "a b", "\"open", "\"\"", "键", &long] {
            assert_eq!(IdempotencyKey::parse(wrong), None, "{wrong}");
        }
        assert_eq!(IdempotencyKey::parse("\"k-1\""), IdempotencyKey::parse(" k-1 "));
    }
}
