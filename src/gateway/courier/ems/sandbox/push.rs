//! 040002: EMS tells each scan, encrypted without the key's text, and tells it again unless the answer is right.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Ems, NAME, second, serial_number};
use crate::domain::kernel::clock::Instant;
use crate::gateway::shared::http::Answer;
use crate::sandbox::Moved;
use crate::sandbox::callbacks::Callback;
use crate::sandbox::parcels::{Parcel, Scan};

/// How often and when it is told again is not published.
const TRIES: &[Duration] =
    &[Duration::ZERO, Duration::from_secs(60), Duration::from_secs(300), Duration::from_secs(900)];

impl Ems {
    /// One callback for each new scan, in order.
    pub(super) fn push(&self, moved: &Moved, now: Instant) -> Vec<Callback> {
        moved.scans.iter().map(|scan| self.callback(&moved.parcel, scan, now)).collect()
    }

    fn callback(&self, parcel: &Parcel, scan: &Scan, now: Instant) -> Callback {
        let mut told = trace(parcel, scan);
        told["orderNo"] = parcel.order_no.clone().into();
        let serial = serial_number();
        let body = json!({
            "serialNo": serial, "method": "040002", "msgType": "0", "senderNo": self.sender_no,
            "timeStamp": second(now), "version": "v1.0.0", "logitcsInterface": self.key.wrap(&told.to_string()),
        });
        Callback {
            gateway: NAME,
            recipient: parcel.recipient.phone.clone(),
            path: format!("/callbacks/ems/{}", self.callback_secret.expose()),
            query: Vec::new(),
            content_type: "application/json;charset=UTF-8",
            body: Bytes::from(body.to_string()),
            accepts: Arc::new(move |answer| is_taken(answer, &serial)),
            waits: TRIES,
            about: vec![(NAME, parcel.order_no.clone())],
        }
    }
}

/// A scan, as queries and pushes tell it.
pub(super) fn trace(parcel: &Parcel, scan: &Scan) -> Value {
    json!({
        "waybillNo": parcel.waybill, "opCode": scan.code, "opName": scan.text,
        "opDesc": format!("{} {}", scan.place, scan.text), "opTime": second(scan.at),
        "opOrgCode": "21320000", "opOrgName": "沙箱营业部", "opOrgProvName": "江苏省", "opOrgCity": scan.place,
        "operatorNo": "0001", "operatorName": "沙箱投递员",
    })
}

/// `00000`, and the serial number that was sent.
fn is_taken(answer: &Answer, serial: &str) -> bool {
    serde_json::from_slice::<Value>(&answer.body)
        .is_ok_and(|answer| answer["code"] == "00000" && answer["serialNo"] == serial)
}
