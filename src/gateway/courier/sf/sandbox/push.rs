//! SF's callbacks with new scans (`RoutePushService`). Each callback contains at most ten scans, which may belong to
//! different parcels.

use std::sync::Arc;

use serde_json::{Value, json};

use super::route::NAME;
use crate::gateway::shared::http::HttpAnswer;
use crate::sandbox::callbacks::Callback;
use crate::sandbox::parcels::{BookedParcel, StationScan};
use crate::sandbox::written_time::second;
use crate::sandbox::{Moved, World};

const LARGEST_BATCH: usize = 10;

struct NewScan<'a> {
    parcel: &'a BookedParcel,
    scan: &'a StationScan,
}

pub(super) fn callbacks(world: &World, moved: &[Moved]) -> Vec<Callback> {
    let scans: Vec<NewScan<'_>> = moved.iter().flat_map(new_scans).collect();
    scans.chunks(LARGEST_BATCH).map(|batch| callback(world, batch)).collect()
}

fn new_scans(moved: &Moved) -> impl Iterator<Item = NewScan<'_>> {
    moved.scans.iter().map(|scan| NewScan { parcel: &moved.parcel, scan })
}

fn callback(world: &World, batch: &[NewScan<'_>]) -> Callback {
    let routes: Vec<Value> = batch.iter().map(|new| route(world, new)).collect();
    let mut about: Vec<_> = batch.iter().map(|new| (NAME, new.parcel.order_no.clone())).collect();
    about.dedup();
    let recipient = batch.first().map_or("", |new| &new.parcel.recipient.phone);
    let body = json!({ "Body": { "WaybillRoute": routes } });
    Callback { accepts: Arc::new(is_accepted), about, ..world.callback(NAME, recipient, &body) }
}

fn route(world: &World, NewScan { parcel, scan }: &NewScan<'_>) -> Value {
    json!({
        "id": world.next_number().to_string(), "mailno": parcel.waybill, "orderid": parcel.order_no,
        "acceptTime": second(scan.at), "acceptAddress": scan.place, "remark": scan.text, "opCode": scan.code,
        "reasonCode": "", "reasonName": "",
    })
}

fn is_accepted(answer: &HttpAnswer) -> bool {
    serde_json::from_slice::<Value>(&answer.body).is_ok_and(|answer| answer["return_code"] == "0000")
}
