//! `RoutePushService`: SF tells scans in batches of at most ten, over all parcels, and tells a batch again unless it
//! hears `0000`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{NAME, Sf, second};
use crate::gateway::shared::http::Answer;
use crate::sandbox::callbacks::Callback;
use crate::sandbox::parcels::{Parcel, Scan};
use crate::sandbox::{Moved, World};

const LARGEST_BATCH: usize = 10;
/// How often and when it is told again is not published.
const TRIES: &[Duration] =
    &[Duration::ZERO, Duration::from_secs(60), Duration::from_secs(300), Duration::from_secs(900)];

impl Sf {
    pub(super) fn push(&self, world: &World, moved: &[Moved]) {
        let scans = moved.iter().flat_map(|moved| moved.scans.iter().map(|scan| (&moved.parcel, scan)));
        let scans: Vec<(&Parcel, &Scan)> = scans.collect();
        let batches = scans.chunks(LARGEST_BATCH).map(|batch| self.callback(world, batch));
        world.callbacks.post(batches.collect());
    }

    fn callback(&self, world: &World, batch: &[(&Parcel, &Scan)]) -> Callback {
        let routes: Vec<Value> = batch.iter().map(|(parcel, scan)| route(world, parcel, scan)).collect();
        let mut about: Vec<_> = batch.iter().map(|(parcel, _)| (NAME, parcel.order_no.clone())).collect();
        about.dedup();
        Callback {
            gateway: NAME,
            recipient: batch.first().map(|(parcel, _)| parcel.recipient.phone.clone()).unwrap_or_default(),
            path: format!("/callbacks/sf/{}", self.callback_secret.expose()),
            query: Vec::new(),
            content_type: "application/json;charset=UTF-8",
            body: Bytes::from(json!({ "Body": { "WaybillRoute": routes } }).to_string()),
            accepts: Arc::new(is_taken),
            waits: TRIES,
            about,
        }
    }
}

fn route(world: &World, parcel: &Parcel, scan: &Scan) -> Value {
    json!({
        "id": world.next_number().to_string(), "mailno": parcel.waybill, "orderid": parcel.order_no,
        "acceptTime": second(scan.at), "acceptAddress": scan.place, "remark": scan.text, "opCode": scan.code,
        "reasonCode": "", "reasonName": "",
    })
}

/// `{"return_code":"0000",…}`
fn is_taken(answer: &Answer) -> bool {
    serde_json::from_slice::<Value>(&answer.body).is_ok_and(|answer| answer["return_code"] == "0000")
}
