//! `Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header). The argument of the operation must be called
//! `idempotency_key`. The use case stores the response ([`crate::casework::frame::idempotency`]), and
//! [`crate::api::edge::answers::stored`] sends it.

use aws_lc_rs::digest::{SHA256, digest};
use poem::http::{HeaderMap, HeaderName, HeaderValue};
use poem_openapi::registry::MetaSchema;
use serde_json::Value;

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::parameters::header::header_parameters;
use crate::casework::frame::idempotency::IdempotentRequest;

pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const LONGEST: usize = 255;

/// The header `Idempotency-Key`. A caller chooses one key per intent, and sends the same key with a repeated request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Combines the key with the caller, the operation and a digest of the body, so that the use case applies the
    /// request only once.
    pub fn once(self, caller: impl ToString, operation: &str, body: &Value) -> IdempotentRequest {
        let scope = format!("{}:{operation}", caller.to_string());
        IdempotentRequest { scope, key: self.0, fingerprint: fingerprint(operation, body) }
    }

    /// Returns the key itself, for a use case that stores the key together with the change.
    pub fn into_inner(self) -> String {
        self.0
    }

    /// Accepts a quoted string, as the IETF draft demands, and a text without quotes.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let key = text.strip_prefix('"').map_or(Some(text), |rest| rest.strip_suffix('"'))?;
        let is_sound = (1..=LONGEST).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
        is_sound.then(|| Self(key.to_owned()))
    }
}

/// Returns the SHA-256 of an operation and a body. White space and the order of members do not matter.
pub fn fingerprint(operation: &str, body: &Value) -> [u8; 32] {
    // serde_json sorts the members of objects, so its text is canonical.
    let hash = digest(&SHA256, format!("{operation}\n{body}").as_bytes());
    hash.as_ref().try_into().unwrap_or_default()
}

/// The header `Idempotency-Key` of an operation that does not require it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionalKey(Option<IdempotencyKey>);

impl OptionalKey {
    /// Like [`IdempotencyKey::once`]; `None` if the caller sent no key.
    pub fn once(self, caller: impl ToString, operation: &str, body: &Value) -> Option<IdempotentRequest> {
        self.0.map(|key| key.once(caller, operation, body))
    }
}

fn key_of(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let unsound = || {
        Problem::new(Code::InvalidParameter).detail(
            "Idempotency-Key 须为 1 至 255 个可见 ASCII 字符",
            "Idempotency-Key must be 1 to 255 visible ASCII characters",
        )
    };
    let read = |header: &HeaderValue| header.to_str().ok().and_then(IdempotencyKey::parse).ok_or_else(unsound);
    headers.get(IDEMPOTENCY_KEY).map(read).transpose()
}

fn schema() -> MetaSchema {
    MetaSchema {
        min_length: Some(1),
        max_length: Some(LONGEST),
        pattern: Some("^[!#-~]*$".to_owned()),
        example: Some("8e03978e-40d5-43dd-bc93-6894a57f9324".into()),
        ..MetaSchema::new("string")
    }
}

header_parameters! {
    IdempotencyKey, required = true, schema(), |headers| {
        key_of(headers)?.ok_or(Problem::new(Code::IdempotencyKeyMissing))
    };
    OptionalKey, required = false, schema(), |headers| Ok(Self(key_of(headers)?));
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
