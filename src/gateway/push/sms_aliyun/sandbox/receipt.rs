//! The receipt of a message (`SmsReport`). It is sent again after 1, 5 and 10 minutes until Songda accepts it.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::sent::{AcceptedSms, NAME};
use crate::gateway::shared::http::HttpAnswer;
use crate::sandbox::World;
use crate::sandbox::callbacks::Callback;
use crate::sandbox::written_time::second;

const TRIES: &[Duration] =
    &[Duration::from_secs(5), Duration::from_secs(60), Duration::from_secs(300), Duration::from_secs(600)];

pub(super) fn of(world: &World, sent: &AcceptedSms) -> Callback {
    let receipts = json!([{
        "phone_number": sent.phone, "send_time": second(sent.at), "report_time": second(sent.at + TimeDelta::seconds(5)),
        "success": sent.arrived, "err_code": sent.code(), "err_msg": "", "sms_size": "1",
        "biz_id": sent.biz_id, "out_id": sent.out_id,
    }]);
    Callback { accepts: Arc::new(is_accepted), waits: TRIES, ..world.callback(NAME, &sent.phone, &receipts) }
}

fn is_accepted(answer: &HttpAnswer) -> bool {
    serde_json::from_slice::<Value>(&answer.body).is_ok_and(|answer| answer["code"] == 0)
}
