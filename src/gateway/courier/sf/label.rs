//! The label file (`COM_RECE_CLOUD_PRINT_WAYBILLS`): SF prints it, and answers where it lies and with which token it
//! is fetched. The token lives for a day, so it is fetched at once.

use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::delivery::parcel::Waybill;
use crate::domain::kernel::private::Private;
use crate::gateway::courier::lenient;

#[derive(Deserialize)]
struct Printed {
    #[serde(default, deserialize_with = "lenient::list")]
    files: Vec<File>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default, deserialize_with = "lenient::text")]
    url: String,
    #[serde(default, deserialize_with = "lenient::text")]
    token: String,
    #[serde(default, deserialize_with = "lenient::text")]
    waybill_no: String,
}

/// A question for one label.
pub(super) fn question(template: &str, waybill: &Waybill) -> Value {
    json!({"templateCode": template, "version": "2.0", "fileType": "pdf", "sync": true,
        "documents": [{"masterWaybillNo": waybill.as_str()}]})
}

/// Where the label of a waybill lies, and the token that opens it.
pub(super) fn place(content: Value, waybill: &Waybill) -> Option<(Url, Private<String>)> {
    let printed: Printed = serde_json::from_value(content).ok()?;
    let file = printed.files.into_iter().find(|file| file.waybill_no == waybill.as_str())?;
    Some((file.url.parse().ok()?, Private::new(file.token)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_label_of_this_waybill_is_taken() {
        let content = json!({"files": [{"url": "https://sf.example/2", "token": "b", "waybillNo": "SF2"},
            {"url": "https://sf.example/1", "token": "a", "waybillNo": "SF1"}]});
        let (url, token) = place(content.clone(), &Waybill::new("SF1")).unwrap();
        assert_eq!((url.as_str(), token.expose().as_str()), ("https://sf.example/1", "a"));
        assert!(place(content, &Waybill::new("SF3")).is_none());
    }
}
