//! An errand as the runner reports it, in answers and in callbacks.

use serde::Deserialize;
use songda::domain::delivery::parcel::{OrderNo, Scan, ScanMeaning, Waybill};
use songda::domain::kernel::clock::Instant;

/// An errand and its stops so far.
#[derive(Deserialize)]
pub struct Errand {
    /// The runner's own number.
    pub ticket: String,
    number: String,
    #[serde(default)]
    stops: Vec<Stop>,
}

#[derive(Deserialize)]
struct Stop {
    what: String,
    place: String,
    at: Instant,
}

impl Errand {
    /// Returns the stops as scans. A stop has the same key in an answer and in a callback.
    pub fn scans(self) -> Vec<Scan> {
        let Self { ticket, number, stops } = self;
        let scan = |Stop { what, place, at }| Scan {
            order_no: Some(OrderNo::from_stored(number.clone())),
            waybill: Waybill::new(ticket.as_str()),
            key: format!("{ticket}/{what}"),
            meaning: meaning(&what),
            code: what,
            occurred_at: at,
            place,
            text: String::new().into(),
            raw: String::new().into(),
        };
        stops.into_iter().map(scan).collect()
    }
}

fn meaning(what: &str) -> ScanMeaning {
    match what {
        "took_it" => ScanMeaning::PickedUp,
        "at_the_gate" => ScanMeaning::OutForDelivery,
        "at_the_door" => ScanMeaning::Delivered,
        _ => ScanMeaning::Unchanged,
    }
}
