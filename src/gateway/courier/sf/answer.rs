//! Reads SF's answers. They have three layers: HTTP, the platform's envelope, and inside it the service's answer as
//! JSON in a string. A call succeeded only if all three layers report success.

use serde::Deserialize;
use serde_json::Value;

use super::codes;
use crate::gateway::courier::lenient::{self, Text};
use crate::gateway::courier::refusal::{CarrierRefusal, RefusalKind};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    api_result_code: Text,
    #[serde(default)]
    api_result_data: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    success: Text,
    #[serde(default)]
    error_code: Text,
    #[serde(default)]
    msg_data: Value,
    /// The print services use this field in place of `msgData`.
    #[serde(default)]
    obj: Value,
}

pub(super) fn read(body: &[u8]) -> Result<Value, CarrierRefusal> {
    let envelope: Envelope = serde_json::from_slice(body).map_err(|_| CarrierRefusal::unclear("not an SF answer"))?;
    if envelope.api_result_code.as_str() != codes::PASSED {
        return Err(refusal(codes::of_platform(&envelope.api_result_code), &envelope.api_result_code));
    }
    let service: Service = serde_json::from_value(lenient::unwrapped(envelope.api_result_data))
        .map_err(|_| CarrierRefusal::unclear("A1000 without a service's answer"))?;
    let coded = !matches!(service.error_code.as_str(), "" | codes::DONE);
    if coded || service.success.as_str() != "true" {
        return Err(refusal(codes::of_service(&service.error_code), &service.error_code));
    }
    let content = if service.msg_data.is_null() { service.obj } else { service.msg_data };
    Ok(lenient::unwrapped(content))
}

/// Builds a refusal. Keeps only the characters that a code can contain, at most 16, so that no personal data gets into
/// a log.
fn refusal(kind: RefusalKind, code: &str) -> CarrierRefusal {
    let code: String = code.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
    CarrierRefusal::new(kind, if code.is_empty() { "refused without a code".to_owned() } else { code })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn kind(body: &str) -> Result<Value, RefusalKind> {
        read(body.as_bytes()).map_err(|refusal| refusal.kind)
    }

    #[test]
    fn success_needs_every_layer() {
        let passed = |inner: Value| json!({"apiResultCode": "A1000", "apiResultData": inner.to_string()}).to_string();
        let done = json!({"success": true, "errorCode": "S0000", "errorMsg": null, "msgData": {"a": 1}});
        assert_eq!(kind(&passed(done.clone())), Ok(json!({"a": 1})));
        let refused = json!({"success": false, "errorCode": "8016", "msgData": null});
        assert_eq!(kind(&passed(refused)), Err(RefusalKind::Duplicate));
        assert_eq!(kind(&passed(json!({"success": true, "errorCode": "8016"}))), Err(RefusalKind::Duplicate));
        assert_eq!(kind(&passed(json!({"errorCode": "S0000"}))), Err(RefusalKind::Unclear));
        assert_eq!(kind(r#"{"apiResultCode":"A1006","apiResultData":""}"#), Err(RefusalKind::Misconfigured));
        assert_eq!(kind(r#"{"apiResultCode":"A1000","apiResultData":""}"#), Err(RefusalKind::Unclear));
        assert_eq!(kind("<html>busy</html>"), Err(RefusalKind::Unclear));
    }

    #[test]
    fn other_types_are_read() {
        let body = json!({"apiResultCode": "A1000",
            "apiResultData": {"success": "true", "errorCode": null, "obj": "{\"files\":[]}"}});
        assert_eq!(kind(&body.to_string()), Ok(json!({"files": []})));
        let body = json!({"apiResultCode": "A1000", "apiResultData": {"success": "false", "errorCode": 8016}});
        assert_eq!(kind(&body.to_string()), Err(RefusalKind::Duplicate));
    }

    proptest! {
        #[test]
        fn no_bytes_cause_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".*") {
            let _ = read(&bytes);
            let told = json!({"apiResultCode": "A1000", "apiResultData": text}).to_string();
            prop_assert!(read(told.as_bytes()).is_err());
        }
    }
}
