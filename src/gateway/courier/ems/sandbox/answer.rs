//! Builds EMS's answers.

use poem::Response;
use poem::http::StatusCode;
use serde_json::{Value, json};

use crate::domain::kernel::clock::{Instant, random_bytes};
use crate::sandbox::call;
use crate::sandbox::written_time::second;

/// Builds an answer. Its HTTP status is 200 for every code, and its content is JSON inside a string.
pub(super) fn say(now: Instant, code: &str, words: &str, body: Option<Value>) -> Response {
    let body = match body {
        None | Some(Value::Null) => Value::Null,
        Some(Value::String(text)) => Value::String(text),
        Some(other) => Value::String(other.to_string()),
    };
    let answer = json!({
        "serialNo": serial_number(), "retCode": code, "retMsg": words, "retBody": body,
        "retDate": second(now), "success": code == "00000",
    });
    call::json(StatusCode::OK, &answer)
}

pub(super) fn serial_number() -> String {
    hex::encode(random_bytes::<16>())
}
