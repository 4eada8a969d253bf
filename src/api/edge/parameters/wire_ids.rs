//! Typed ids in JSON and in the OpenAPI documents: strings with a prefix and a pattern.

use std::borrow::Cow;

use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type};
use serde_json::Value;
use uuid::Uuid;

use crate::api::edge::parameters::plain_type::plain_type;
use crate::domain::kernel::ids::{
    AddressId, AttemptId, CaseId, ClientId, DraftId, HistoryId, InstallationId, JobId, NotificationId, OfficerId,
    ParcelId, PersonId, SessionId, UploadId,
};

/// The UUID v7 of all example ids. Its time is 2025-11-23.
pub const EXAMPLE: Uuid = Uuid::from_u128(0x019a_ae8f_7a00_7000_8000_0000_0000_002a);

fn schema(prefix: &'static str, example: String) -> MetaSchema {
    MetaSchema {
        pattern: Some(format!("^{prefix}_[0-7][0-9A-HJKMNP-TV-Z]{{25}}$")),
        example: Some(Value::String(example)),
        ..MetaSchema::new("string")
    }
}

macro_rules! wire_ids {
    ($($id:ident)*) => {$(
        impl Type for $id {
            plain_type!();

            fn name() -> Cow<'static, str> {
                stringify!($id).into()
            }

            fn schema_ref() -> MetaSchemaRef {
                MetaSchemaRef::Inline(Box::new(schema(Self::PREFIX, Self::from_uuid(EXAMPLE).to_string())))
            }
        }

        impl ParseFromJSON for $id {
            fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
                match value {
                    Some(Value::String(text)) => Ok(text.parse()?),
                    other => Err(ParseError::expected_type(other.unwrap_or_default())),
                }
            }
        }

        impl ParseFromParameter for $id {
            fn parse_from_parameter(value: &str) -> ParseResult<Self> {
                Ok(value.parse()?)
            }
        }

        impl ToJSON for $id {
            fn to_json(&self) -> Option<Value> {
                Some(Value::String(self.to_string()))
            }
        }
    )*};
}

wire_ids! {
    AddressId AttemptId CaseId ClientId DraftId HistoryId InstallationId JobId NotificationId OfficerId
    ParcelId PersonId SessionId UploadId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_matches_the_ids() {
        let MetaSchemaRef::Inline(schema) = CaseId::schema_ref() else { panic!("an inline schema") };
        let pattern = regex::Regex::new(schema.pattern.as_deref().unwrap()).unwrap();
        let id = crate::domain::kernel::clock::fresh(CaseId::from_uuid);
        assert!(pattern.is_match(&id.to_string()));
        assert!(pattern.is_match(schema.example.unwrap().as_str().unwrap()));
        assert_eq!(CaseId::parse_from_json(id.to_json()).unwrap(), id);
        assert!(CaseId::parse_from_parameter("job_0").is_err());
    }
}
