//! Finds the label file in an answer (interface 010004). We do not know for certain how EMS answers a request with
//! `getURL=1`. So the file's URL and the file in base64 are both accepted, each as a bare string or inside an object or
//! array.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use reqwest::Url;
use serde_json::Value;

use crate::gateway::courier::Label;

#[derive(Debug, PartialEq)]
pub(super) enum LabelAnswer {
    File(Label),
    Address(Url),
}

pub(super) fn find(content: &Value) -> Option<LabelAnswer> {
    match content {
        Value::String(text) => file(text).or_else(|| address(text)),
        Value::Object(fields) => fields.values().find_map(find),
        Value::Array(entries) => entries.iter().find_map(find),
        _ => None,
    }
}

fn file(text: &str) -> Option<LabelAnswer> {
    Label::of(BASE64_STANDARD.decode(text.trim()).ok()?).map(LabelAnswer::File)
}

fn address(text: &str) -> Option<LabelAnswer> {
    let url = Url::parse(text.trim()).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(LabelAnswer::Address(url))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_or_an_address_is_found() {
        let file = BASE64_STANDARD.encode("%PDF-1.4 ...");
        let is_file = |content: Value| matches!(find(&content), Some(LabelAnswer::File(_)));
        assert!(is_file(json!(file)) && is_file(json!({"waybillNo": "1200000000001", "content": file})));
        assert!(matches!(find(&json!(["https://api.ems.com.cn/1.pdf"])), Some(LabelAnswer::Address(_))));
        assert_eq!(find(&json!({"waybillNo": "1200000000001", "other": "data:,x"})), None);
    }
}
