//! A message that the service accepted, and its receipt (`SmsReport`), which reports whether the message arrived. The
//! receipt is first sent 5 seconds after the message. Until Songda accepts the receipt, it is repeated at most three
//! times, after waits of 1, 5 and 10 minutes.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::domain::kernel::clock::Instant;
use crate::gateway::shared::http::HttpAnswer;
use crate::sandbox::World;
use crate::sandbox::callbacks::Callback;
use crate::sandbox::written_time::second;

pub(super) const NAME: &str = "sms_aliyun";

const TRIES: &[Duration] =
    &[Duration::from_secs(5), Duration::from_secs(60), Duration::from_secs(300), Duration::from_secs(600)];

#[derive(Clone)]
pub(super) struct AcceptedSms {
    pub(super) phone: String,
    pub(super) template: String,
    pub(super) content: String,
    pub(super) out_id: String,
    pub(super) biz_id: String,
    pub(super) arrived: bool,
    pub(super) at: Instant,
}

impl AcceptedSms {
    /// The status code of the message in its receipt and in look-ups.
    pub(super) const fn code(&self) -> &'static str {
        if self.arrived { "DELIVERED" } else { "USER_REJECT" }
    }

    pub(super) fn receipt(&self, world: &World) -> Callback {
        let receipts = json!([{
            "phone_number": self.phone, "send_time": second(self.at),
            "report_time": second(self.at + TimeDelta::seconds(5)),
            "success": self.arrived, "err_code": self.code(), "err_msg": "", "sms_size": "1",
            "biz_id": self.biz_id, "out_id": self.out_id,
        }]);
        Callback { accepts: Arc::new(is_accepted), waits: TRIES, ..world.callback(NAME, &self.phone, &receipts) }
    }
}

fn is_accepted(answer: &HttpAnswer) -> bool {
    serde_json::from_slice::<Value>(&answer.body).is_ok_and(|answer| answer["code"] == 0)
}
