//! Builds WeChat's answers.

use poem::Response;
use poem::http::StatusCode;
use serde_json::{Value, json};

use crate::domain::kernel::clock::random_bytes;
use crate::sandbox::call;

pub(super) type Errcode = i64;

/// Builds an answer. Like WeChat, always uses the HTTP status 200.
pub(super) fn say(value: &Value) -> Response {
    call::json(StatusCode::OK, value)
}

/// Builds an error answer. Its `rid` is the id under which WeChat finds the call in its logs.
pub(super) fn refuse(code: Errcode, words: &str) -> Response {
    let [a, b, c]: [[u8; 4]; 3] = [random_bytes(), random_bytes(), random_bytes()];
    let rid = format!("{}-{}-{}", hex::encode(a), hex::encode(b), hex::encode(c));
    say(&json!({ "errcode": code, "errmsg": format!("{words} rid: {rid}") }))
}
