//! The request for a label (`COM_RECE_CLOUD_PRINT_WAYBILLS`). SF creates a file and answers with the file's URL and a
//! token. The token is valid for a day, so the client fetches the file at once.

use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::delivery::parcel::Waybill;
use crate::domain::kernel::private::Private;
use crate::gateway::courier::lenient::{self, Text};

#[derive(Deserialize)]
struct Printed {
    #[serde(default, deserialize_with = "lenient::list")]
    files: Vec<File>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct File {
    url: Text,
    token: Text,
    waybill_no: Text,
}

pub(super) fn question(template: &str, waybill: &Waybill) -> Value {
    json!({"templateCode": template, "version": "2.0", "fileType": "pdf", "sync": true,
        "documents": [{"masterWaybillNo": waybill.as_str()}]})
}

/// Returns the URL of a waybill's label, and the token with which the client fetches the label.
pub(super) fn location(content: Value, waybill: &Waybill) -> Option<(Url, Private<String>)> {
    let printed: Printed = serde_json::from_value(content).ok()?;
    let file = printed.files.into_iter().find(|file| file.waybill_no.as_str() == waybill.as_str())?;
    Some((file.url.parse().ok()?, Private::new(file.token.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_label_of_this_waybill_is_used() {
        let content = json!({"files": [{"url": "https://sf.example/2", "token": "b", "waybillNo": "SF2"},
            {"url": "https://sf.example/1", "token": "a", "waybillNo": "SF1"}]});
        let (url, token) = location(content.clone(), &Waybill::new("SF1")).unwrap();
        assert_eq!((url.as_str(), token.expose().as_str()), ("https://sf.example/1", "a"));
        assert!(location(content, &Waybill::new("SF3")).is_none());
    }
}
