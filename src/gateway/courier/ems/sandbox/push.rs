//! EMS's callback for each new scan (interface 040002). It is encrypted without the key's text, which only callers
//! append.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Ems;
use super::answer::serial_number;
use super::route::{NAME, trace};
use crate::gateway::shared::http::HttpAnswer;
use crate::sandbox::callbacks::Callback;
use crate::sandbox::parcels::{BookedParcel, StationScan};
use crate::sandbox::written_time::second;
use crate::sandbox::{Moved, World};

impl Ems {
    /// Makes one callback for each new scan, in the order of the scans.
    pub(super) fn callbacks(&self, world: &World, moved: &Moved) -> Vec<Callback> {
        moved.scans.iter().map(|scan| self.callback(world, &moved.parcel, scan)).collect()
    }

    fn callback(&self, world: &World, parcel: &BookedParcel, scan: &StationScan) -> Callback {
        let mut content = trace(parcel, scan);
        content["orderNo"] = parcel.order_no.clone().into();
        let serial = serial_number();
        let body = json!({
            "serialNo": serial, "method": "040002", "msgType": "0", "senderNo": self.sender_no,
            "timeStamp": second(world.now()), "version": "v1.0.0",
            "logitcsInterface": self.key.wrap(&content.to_string()),
        });
        Callback {
            accepts: Arc::new(move |answer| is_accepted(answer, &serial)),
            about: vec![(NAME, parcel.order_no.clone())],
            ..world.callback(NAME, &parcel.recipient.phone, &body)
        }
    }
}

/// EMS accepts an answer only if it has the code `00000` and repeats the serial number of the callback.
fn is_accepted(answer: &HttpAnswer, serial: &str) -> bool {
    serde_json::from_slice::<Value>(&answer.body)
        .is_ok_and(|answer| answer["code"] == "00000" && answer["serialNo"] == serial)
}
