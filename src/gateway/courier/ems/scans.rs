//! Turns EMS's tracking events into scans. Answers to queries (interface 040001) and EMS's callbacks (040002) contain
//! the same events.

use serde::Deserialize;

use crate::domain::delivery::parcel::{OrderNo, Scan, ScanMeaning, Waybill};
use crate::domain::kernel::private::Private;
use crate::gateway::courier::beijing_time;
use crate::gateway::courier::lenient::{self, Text, WithRaw};
use crate::gateway::courier::meaning::{Meanings, of_code, with_words};

/// The meanings of `opCode`s. They are learned from the scans of real parcels, because EMS publishes no list.
const MEANINGS: Meanings = &[
    (ScanMeaning::PickedUp, &["203"]),
    (
        ScanMeaning::InTransit,
        &["303", "305", "306", "345", "389", "404", "405", "423", "457", "500", "505", "516", "912", "954", "989"],
    ),
    (ScanMeaning::OutForDelivery, &["702"]),
    // 711, 747 and 748 mean "left in a locker or at an outlet": the recipient does not have the parcel yet.
    (ScanMeaning::ReadyForPickup, &["461", "462", "711", "747", "748"]),
    (ScanMeaning::Exception, &["705"]),
    (ScanMeaning::Delivered, &["463", "704"]),
    (ScanMeaning::Cancelled, &["O_011"]),
];

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct TrackingEvent {
    waybill_no: Text,
    order_no: Text,
    op_time: Text,
    op_code: Text,
    op_name: Text,
    op_desc: Text,
    op_org_city: Text,
    op_org_name: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TrackAnswer {
    #[serde(default, deserialize_with = "lenient::list")]
    pub(super) response_items: Vec<WithRaw<TrackingEvent>>,
}

impl WithRaw<TrackingEvent> {
    /// Turns the event into a scan. If the event has no waybill, the scan gets `asked`, the waybill of the query.
    /// Returns `None` if there is no waybill or no valid time.
    pub(super) fn scan(self, asked: Option<&Waybill>) -> Option<Scan> {
        let Self { part: event, raw } = self;
        let named = Some(event.waybill_no.trim()).filter(|waybill| !waybill.is_empty()).map(Waybill::new);
        let waybill = named.or_else(|| asked.cloned())?;
        let occurred_at = beijing_time::read(&event.op_time)?;
        let words = format!("{} {}", *event.op_name, *event.op_desc);
        let place = format!("{} {}", *event.op_org_city, *event.op_org_name).trim().to_owned();
        Some(Scan {
            key: format!("{waybill}/{}/{}", beijing_time::write(occurred_at), *event.op_code),
            order_no: (!event.order_no.is_empty()).then(|| OrderNo::from_stored(event.order_no.0)),
            waybill,
            meaning: with_words(of_code(MEANINGS, &event.op_code), &words),
            code: event.op_code.0,
            occurred_at,
            place,
            text: Private::new(if event.op_desc.is_empty() { event.op_name.0 } else { event.op_desc.0 }),
            raw: Private::new(raw),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::kernel::clock::Instant;

    fn scan(event: serde_json::Value) -> Option<Scan> {
        serde_json::from_value::<WithRaw<TrackingEvent>>(event).unwrap().scan(None)
    }

    #[test]
    fn a_query_and_a_push_give_the_same_scan() {
        let queried = json!({"waybillNo": "1200000000001", "opTime": "2025-01-02 10:00:00", "opCode": "704",
            "opName": "妥投", "opDesc": "本人签收", "opOrgCity": "南京市", "opOrgName": "玄武营业部"});
        let mut pushed = queried.clone();
        pushed["orderNo"] = json!("SD01");
        pushed["opTime"] = json!("2025-01-02 10:00:00.0");
        pushed["opCode"] = json!(704);
        let queried = scan(queried).unwrap();
        let pushed = scan(pushed).unwrap();
        assert_eq!(queried.key, pushed.key);
        assert_eq!(queried.key, "1200000000001/2025-01-02 10:00:00/704");
        assert_eq!(queried.meaning, ScanMeaning::Delivered);
        assert_eq!(queried.place, "南京市 玄武营业部");
        assert!(queried.raw.expose().contains("本人签收"), "the raw event is kept");
        assert_eq!(queried.occurred_at, "2025-01-02T02:00:00Z".parse::<Instant>().unwrap());
        assert_eq!(pushed.order_no, Some(OrderNo::from_stored("SD01".to_owned())));
    }

    #[test]
    fn each_code_has_the_meaning_of_real_tracks() {
        for (code, words, meaning) in [
            ("203", "", ScanMeaning::PickedUp),
            ("954", "", ScanMeaning::InTransit),
            ("702", "", ScanMeaning::OutForDelivery),
            ("747", "", ScanMeaning::ReadyForPickup),
            ("705", "", ScanMeaning::Exception),
            ("705", "收件人拒收,退回", ScanMeaning::Returning),
            ("704", "退回妥投", ScanMeaning::Returned),
            ("O_011", "", ScanMeaning::Cancelled),
            ("7777", "", ScanMeaning::Unchanged),
        ] {
            let event = json!({"waybillNo": "1", "opTime": "2025-01-02 10:00:00", "opCode": code, "opDesc": words});
            assert_eq!(scan(event).unwrap().meaning, meaning, "{code} {words}");
        }
    }

    #[test]
    fn an_event_without_a_time_or_a_waybill_is_no_scan() {
        assert_eq!(scan(json!({"waybillNo": "1", "opTime": "soon", "opCode": "203"})), None);
        assert_eq!(scan(json!({"opTime": "2025-01-02 10:00:00", "opCode": "203"})), None);
    }
}
