//! Builds SF's answers: the platform's envelope, and inside it the service's answer as JSON in a string.

use poem::Response;
use poem::http::StatusCode;
use serde_json::{Value, json};

use crate::domain::kernel::clock::random_bytes;
use crate::sandbox::call;

pub(super) struct ServiceRefusal(pub(super) &'static str, pub(super) &'static str);

/// Builds the platform's refusal of a request, before the request reaches a service.
pub(super) fn platform(code: &str, words: &str) -> Response {
    envelope(code, words, String::new())
}

pub(super) fn service(outcome: Result<Value, ServiceRefusal>) -> Response {
    let data = match outcome {
        Ok(data) if data.get("obj").is_some() => data,
        Ok(data) => json!({ "success": true, "errorCode": "S0000", "errorMsg": null, "msgData": data }),
        Err(ServiceRefusal(code, words)) => {
            json!({ "success": false, "errorCode": code, "errorMsg": words, "msgData": null })
        }
    };
    envelope("A1000", "", data.to_string())
}

fn envelope(code: &str, words: &str, data: String) -> Response {
    let id = hex::encode_upper(random_bytes::<16>());
    let answer = json!({ "apiErrorMsg": words, "apiResponseID": id, "apiResultCode": code, "apiResultData": data });
    call::json(StatusCode::OK, &answer)
}
