//! Deserializers for carriers' JSON, whose form varies. A field may be a string or a number, a list of one entry may be
//! a bare object, and JSON may be inside a string.

use std::ops::Deref;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The text of a string, a number or a boolean; empty for every other value.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Text(pub(super) String);

impl Deref for Text {
    type Target = String;

    fn deref(&self) -> &String {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Value::deserialize(deserializer)? {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
        }))
    }
}

/// Reads a list, or a single entry as a list of one; empty for every other value. Unreadable entries are left out. Used
/// with serde's `deserialize_with`.
pub(super) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(entries(Value::deserialize(deserializer)?))
}

/// Does the same as [`list`] for JSON that is already parsed.
pub(super) fn entries<T: DeserializeOwned>(value: Value) -> Vec<T> {
    let values = match value {
        Value::Array(values) => values,
        Value::Object(_) => vec![value],
        _ => Vec::new(),
    };
    values.into_iter().filter_map(|value| serde_json::from_value(value).ok()).collect()
}

/// A deserialized part of a carrier's answer or callback, together with its raw JSON.
pub(super) struct WithRaw<T> {
    pub(super) part: T,
    pub(super) raw: String,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for WithRaw<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let raw = value.to_string();
        serde_json::from_value(value).map(|part| Self { part, raw }).map_err(D::Error::custom)
    }
}

/// Parses the JSON inside a string. Returns every other value, and a string without JSON, unchanged. An empty string
/// becomes null.
pub(super) fn unwrapped(value: Value) -> Value {
    match value {
        Value::String(text) if text.trim().is_empty() => Value::Null,
        Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Sample {
        code: Text,
        #[serde(deserialize_with = "list")]
        children: Vec<Sample>,
    }

    fn read(json: &str) -> (String, usize) {
        let sample: Sample = serde_json::from_str(json).unwrap();
        (sample.code.0, sample.children.len())
    }

    #[test]
    fn all_forms_are_read() {
        assert_eq!(read(r#"{"code":"7","children":[{"code":1},{"code":2}]}"#), ("7".to_owned(), 2));
        assert_eq!(read(r#"{"code":7,"children":{"code":1}}"#), ("7".to_owned(), 1));
        assert_eq!(read(r#"{"code":null,"children":[1,{"code":2}]}"#), (String::new(), 1));
        assert_eq!(read("{}"), (String::new(), 0));
        assert_eq!(unwrapped(Value::from(r#"{"a":1}"#)), serde_json::json!({"a": 1}));
        assert_eq!(unwrapped(Value::from("JVBERi0=")), Value::from("JVBERi0="));
    }
}
