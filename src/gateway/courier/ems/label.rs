//! The label file (010004). What EMS answers to `getURL=1` is not confirmed: an address or the file itself in
//! base64, bare or in an object. Both are taken; an address only where EMS itself is.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use reqwest::Url;
use serde_json::Value;

use crate::gateway::courier::Label;

/// What an answer holds.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    File(Label),
    /// Where it lies.
    Address(Url),
}

/// The label in an answer's content.
pub(super) fn find(content: &Value) -> Option<Found> {
    match content {
        Value::String(text) => file(text).or_else(|| address(text)),
        Value::Object(fields) => fields.values().find_map(find),
        Value::Array(entries) => entries.iter().find_map(find),
        _ => None,
    }
}

fn file(text: &str) -> Option<Found> {
    Label::of(BASE64_STANDARD.decode(text.trim()).ok()?).map(Found::File)
}

fn address(text: &str) -> Option<Found> {
    let url = Url::parse(text.trim()).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(Found::Address(url))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_or_an_address_is_found() {
        let file = BASE64_STANDARD.encode("%PDF-1.4 ...");
        let is_file = |content: Value| matches!(find(&content), Some(Found::File(_)));
        assert!(is_file(json!(file)) && is_file(json!({"waybillNo": "1200000000001", "content": file})));
        assert!(matches!(find(&json!(["https://api.ems.com.cn/1.pdf"])), Some(Found::Address(_))));
        assert_eq!(find(&json!({"waybillNo": "1200000000001", "other": "data:,x"})), None);
    }
}
