//! JSON bodies of requests. [`crate::api::edge::parameters::shape`] validates a body against the schema of its type and
//! reports all faults at once. poem-openapi's own parser does not suffice: it accepts `false` as a text, stops at the
//! first fault, does not say where the fault is, and repeats the caller's input.

use std::ops::Deref;

use poem::{FromRequest, Request, RequestBody, Result};
use poem_openapi::error::ContentTypeError;
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::{ParseFromJSON, Type};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde_json::Value;

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::{FieldError, Problem};
use crate::api::edge::parameters::shape;

/// A JSON body that is parsed as a `T`. If `WHOLE` is true, the body is first validated against the schema of `T`.
#[derive(Debug)]
pub struct Body<T, const WHOLE: bool = true> {
    value: T,
    raw: Value,
}

/// A JSON body with a list of rows. The operation validates the rows one by one, so that a faulty row does not affect
/// the others.
pub type Rows<T> = Body<T, false>;

impl<T, const WHOLE: bool> Body<T, WHOLE> {
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The JSON as the caller sent it, for [`crate::api::edge::parameters::idempotency::fingerprint`].
    pub const fn raw(&self) -> &Value {
        &self.raw
    }
}

impl<T, const WHOLE: bool> Deref for Body<T, WHOLE> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<'a, T: ParseFromJSON + 'static, const WHOLE: bool> ApiExtractor<'a> for Body<T, WHOLE> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(request: &'a Request, body: &mut RequestBody, _: ExtractParamOptions<()>) -> Result<Self> {
        let content_type = request.content_type().ok_or(ContentTypeError::ExpectContentType)?;
        if !is_json(content_type) {
            return Err(ContentTypeError::NotSupported { content_type: content_type.to_owned() }.into());
        }
        let bytes = <Vec<u8> as FromRequest>::from_request(request, body).await?;
        let raw: Value = serde_json::from_slice(&bytes).map_err(malformed)?;
        if WHOLE {
            let faults = shape::faults::<T>(&raw);
            if !faults.is_empty() {
                return Err(Problem::invalid(faults).into());
            }
        }
        let value = T::parse_from_json(Some(raw.clone())).map_err(|_| refused::<T>(&raw))?;
        Ok(Self { value, raw })
    }
}

/// True for `application/json` and `application/…+json`, with or without parameters.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn malformed(error: serde_json::Error) -> Problem {
    let line = error.line();
    let column = error.column();
    Problem::new(Code::MalformedJson).detail(
        format!("第 {line} 行第 {column} 列附近无法解析"),
        format!("Syntax error near line {line}, column {column}"),
    )
}

fn refused<T: Type + 'static>(raw: &Value) -> Problem {
    let mut errors = shape::faults::<T>(raw);
    if errors.is_empty() {
        // The JSON matches the schema, but breaks a rule of the type that the schema does not contain.
        errors.push(FieldError::new("", "invalid", "内容不符合要求", "The content is not valid"));
    }
    Problem::invalid(errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_several_media_types() {
        assert!(
            is_json("application/json") && is_json("Application/JSON; charset=utf-8") && is_json("application/ld+json")
        );
        assert!(!is_json("text/json") && !is_json("application/jsonp") && !is_json(""));
    }
}
