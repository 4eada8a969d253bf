//! Carriers write the same field as a string today and as a number tomorrow, one object where a list belongs, and
//! JSON inside a string. These readers take all of it.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A text, whether it came as a string, a number, a truth value or not at all. For `deserialize_with`.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    })
}

/// A list, whether it came as one, as its only entry or not at all. Entries that cannot be read are left out. For
/// `deserialize_with`.
pub(super) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(entries(Value::deserialize(deserializer)?))
}

/// As [`list`], of a value.
pub(super) fn entries<T: DeserializeOwned>(value: Value) -> Vec<T> {
    let values = match value {
        Value::Array(values) => values,
        Value::Object(_) => vec![value],
        _ => Vec::new(),
    };
    values.into_iter().filter_map(|value| serde_json::from_value(value).ok()).collect()
}

/// A part of an answer, beside the whole of it as it came.
pub(super) struct Told<T> {
    pub(super) part: T,
    pub(super) raw: String,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Told<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let raw = value.to_string();
        serde_json::from_value(value).map(|part| Self { part, raw }).map_err(D::Error::custom)
    }
}

/// The value itself, or the one that is written as JSON inside a string. Any other string stays as it is.
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

    #[derive(Debug, PartialEq, Deserialize)]
    struct Sample {
        #[serde(default, deserialize_with = "text")]
        code: String,
        #[serde(default, deserialize_with = "list")]
        children: Vec<Sample>,
    }

    fn read(json: &str) -> (String, usize) {
        let sample: Sample = serde_json::from_str(json).unwrap();
        (sample.code, sample.children.len())
    }

    #[test]
    fn all_shapes_are_read() {
        assert_eq!(read(r#"{"code":"7","children":[{"code":1},{"code":2}]}"#), ("7".to_owned(), 2));
        assert_eq!(read(r#"{"code":7,"children":{"code":1}}"#), ("7".to_owned(), 1));
        assert_eq!(read(r#"{"code":null,"children":[1,{"code":2}]}"#), (String::new(), 1));
        assert_eq!(read("{}"), (String::new(), 0));
        assert_eq!(unwrapped(Value::from(r#"{"a":1}"#)), serde_json::json!({"a": 1}));
        assert_eq!(unwrapped(Value::from("JVBERi0=")), Value::from("JVBERi0="));
    }
}
