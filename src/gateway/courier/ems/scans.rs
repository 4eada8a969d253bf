//! EMS's tracking events, alike in its answers (040001) and its pushes (040002).

use serde::Deserialize;

use crate::domain::delivery::parcel::{OrderNo, Scan, ScanMeaning, Waybill};
use crate::domain::kernel::private::Private;
use crate::gateway::courier::lenient::{self, Told};
use crate::gateway::courier::{beijing_time, way_back};

/// What `opCode`s mean, from real trails. EMS publishes no list: what is not here changes nothing.
const MEANINGS: &[(ScanMeaning, &[&str])] = &[
    (ScanMeaning::PickedUp, &["203"]),
    (
        ScanMeaning::InTransit,
        &["303", "305", "306", "345", "389", "404", "405", "423", "457", "500", "505", "516", "912", "954", "989"],
    ),
    (ScanMeaning::OutForDelivery, &["702"]),
    // 711, 747 and 748 are "left in a locker or at an outlet": for a certificate not yet receipt.
    (ScanMeaning::ReadyForPickup, &["461", "462", "711", "747", "748"]),
    (ScanMeaning::Exception, &["705"]),
    (ScanMeaning::Delivered, &["463", "704"]),
    (ScanMeaning::Cancelled, &["O_011"]),
];

/// One event. All fields are texts, and any may be missing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    #[serde(default, deserialize_with = "lenient::text")]
    waybill_no: String,
    #[serde(default, deserialize_with = "lenient::text")]
    order_no: String,
    #[serde(default, deserialize_with = "lenient::text")]
    op_time: String,
    #[serde(default, deserialize_with = "lenient::text")]
    op_code: String,
    #[serde(default, deserialize_with = "lenient::text")]
    op_name: String,
    #[serde(default, deserialize_with = "lenient::text")]
    op_desc: String,
    #[serde(default, deserialize_with = "lenient::text")]
    op_org_city: String,
    #[serde(default, deserialize_with = "lenient::text")]
    op_org_name: String,
}

/// The answer to a track query.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Trail {
    #[serde(default, deserialize_with = "lenient::list")]
    pub(super) response_items: Vec<Told<Event>>,
}

impl Told<Event> {
    /// The event in our words; `None` if it lacks a waybill or a time. `asked` is the waybill that was asked for.
    pub(super) fn scan(self, asked: Option<&Waybill>) -> Option<Scan> {
        let Self { part: event, raw } = self;
        let named = Some(event.waybill_no.trim()).filter(|waybill| !waybill.is_empty()).map(Waybill::new);
        let waybill = named.or_else(|| asked.cloned())?;
        let occurred_at = beijing_time::read(&event.op_time)?;
        let words = format!("{} {}", event.op_name, event.op_desc);
        Some(Scan {
            key: format!("{waybill}/{}/{}", beijing_time::write(occurred_at), event.op_code),
            order_no: (!event.order_no.is_empty()).then(|| OrderNo::from_stored(event.order_no)),
            waybill,
            meaning: way_back::heard(meaning(&event.op_code), &words),
            code: event.op_code,
            occurred_at,
            place: format!("{} {}", event.op_org_city, event.op_org_name).trim().to_owned(),
            text: Private::new(if event.op_desc.is_empty() { event.op_name } else { event.op_desc }),
            raw: Private::new(raw),
        })
    }
}

fn meaning(code: &str) -> ScanMeaning {
    let row = MEANINGS.iter().find(|(_, codes)| codes.contains(&code));
    row.map_or(ScanMeaning::Unchanged, |(meaning, _)| *meaning)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scan(event: serde_json::Value) -> Option<Scan> {
        serde_json::from_value::<Told<Event>>(event).unwrap().scan(None)
    }

    #[test]
    fn a_query_and_a_push_tell_the_same_event() {
        let told = json!({"waybillNo": "1200000000001", "opTime": "2025-01-02 10:00:00", "opCode": "704",
            "opName": "妥投", "opDesc": "本人签收", "opOrgCity": "南京市", "opOrgName": "玄武营业部"});
        let mut pushed = told.clone();
        pushed["orderNo"] = json!("SD01");
        pushed["opTime"] = json!("2025-01-02 10:00:00.0");
        pushed["opCode"] = json!(704);
        let (told, pushed) = (scan(told).unwrap(), scan(pushed).unwrap());
        assert_eq!(told.key, pushed.key);
        assert_eq!(told.key, "1200000000001/2025-01-02 10:00:00/704");
        assert_eq!(told.meaning, ScanMeaning::Delivered);
        assert_eq!(told.place, "南京市 玄武营业部");
        assert!(told.raw.expose().contains("本人签收"), "nothing of it is lost");
        assert_eq!(told.occurred_at, "2025-01-02T02:00:00Z".parse::<crate::domain::kernel::clock::Instant>().unwrap());
        assert_eq!(pushed.order_no, Some(OrderNo::from_stored("SD01".to_owned())));
    }

    #[test]
    fn codes_mean_what_real_trails_show() {
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
    fn without_a_time_or_a_waybill_there_is_no_scan() {
        assert_eq!(scan(json!({"waybillNo": "1", "opTime": "soon", "opCode": "203"})), None);
        assert_eq!(scan(json!({"opTime": "2025-01-02 10:00:00", "opCode": "203"})), None);
    }
}
