//! `SmsReport`: an unsigned array of receipts, sent again after 1, 5 and 10 minutes unless the answer is right.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Sent, second};
use crate::gateway::shared::http::Answer;
use crate::sandbox::callbacks::Callback;

const TRIES: &[Duration] =
    &[Duration::from_secs(5), Duration::from_secs(60), Duration::from_secs(300), Duration::from_secs(600)];

/// The receipt of a message.
pub(super) fn of(sent: &Sent, secret: &str) -> Callback {
    let receipts = json!([{
        "phone_number": sent.phone, "send_time": second(sent.at), "report_time": second(sent.at + TimeDelta::seconds(5)),
        "success": sent.arrived, "err_code": sent.code(), "err_msg": "", "sms_size": "1",
        "biz_id": sent.biz_id, "out_id": sent.out_id,
    }]);
    Callback {
        gateway: super::NAME,
        recipient: sent.phone.clone(),
        path: format!("/callbacks/sms_aliyun/{secret}"),
        query: Vec::new(),
        content_type: "application/json;charset=UTF-8",
        body: Bytes::from(receipts.to_string()),
        accepts: Arc::new(is_taken),
        waits: TRIES,
        about: Vec::new(),
    }
}

/// `{"code":0,"msg":"…"}`
fn is_taken(answer: &Answer) -> bool {
    serde_json::from_slice::<Value>(&answer.body).is_ok_and(|answer| answer["code"] == 0)
}
