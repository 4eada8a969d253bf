//! SF's route nodes, alike in its answers (`EXP_RECE_SEARCH_ROUTES`) and its pushes (`RoutePushService`).

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::delivery::parcel::{OrderNo, Scan, ScanMeaning, Waybill};
use crate::domain::kernel::private::Private;
use crate::gateway::courier::lenient::{self, Told};
use crate::gateway::courier::{beijing_time, way_back};

/// What `opCode`s mean, from real trails. What is not here changes nothing. 44 looks like delivery but is a courier
/// being chosen; 36 looks like trouble but is a departure; 99, 631 and 648 are a return or a new address, which only
/// the words tell apart, so alone they are an exception.
const MEANINGS: &[(ScanMeaning, &[&str])] = &[
    (ScanMeaning::PickedUp, &["50", "54"]),
    (ScanMeaning::InTransit, &["30", "31", "36", "44", "123", "130", "407", "501", "607"]),
    (ScanMeaning::OutForDelivery, &["204"]),
    (ScanMeaning::Delivered, &["80"]),
    (ScanMeaning::Exception, &["33", "70", "99", "631", "648"]),
];

/// Book-keeping after the signature, whatever else the node says.
const CLOSED: &str = "8000";

/// One node. All fields are texts, and any may be missing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Node {
    #[serde(default, alias = "mailNo", deserialize_with = "lenient::text")]
    mailno: String,
    #[serde(default, alias = "orderId", deserialize_with = "lenient::text")]
    orderid: String,
    #[serde(default, deserialize_with = "lenient::text")]
    accept_time: String,
    #[serde(default, deserialize_with = "lenient::text")]
    accept_address: String,
    #[serde(default, deserialize_with = "lenient::text")]
    remark: String,
    #[serde(default, deserialize_with = "lenient::text")]
    op_code: String,
    #[serde(default, deserialize_with = "lenient::text")]
    first_status_code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reply {
    #[serde(default, deserialize_with = "lenient::list")]
    route_resps: Vec<Trail>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trail {
    #[serde(default, alias = "mailno", deserialize_with = "lenient::text")]
    mail_no: String,
    #[serde(default, deserialize_with = "lenient::list")]
    routes: Vec<Told<Node>>,
}

/// A question for one waybill's route. SF wants the end of a phone for waybills of other accounts.
pub(super) fn question(waybill: &Waybill, recipient_phone: &Private<String>) -> Value {
    let phone = recipient_phone.expose();
    let end = phone.get(phone.len().saturating_sub(4)..).unwrap_or_default();
    json!({"language": "0", "trackingType": "1", "trackingNumber": [waybill.as_str()], "methodType": "1",
        "checkPhoneNo": end})
}

/// The scans of one waybill in an answer; `None` if it is no such answer. None at all: not yet scanned.
pub(super) fn of_answer(content: Value, waybill: &Waybill) -> Option<Vec<Scan>> {
    let reply: Reply = serde_json::from_value(content).ok()?;
    let trails = reply.route_resps.into_iter().filter(|trail| trail.mail_no == waybill.as_str());
    let nodes = trails.flat_map(|trail| trail.routes);
    let named =
        nodes.map(|Told { part, raw }| Told { part: Node { mailno: waybill.as_str().to_owned(), ..part }, raw });
    Some(named.filter_map(Told::scan).collect())
}

impl Told<Node> {
    /// The node in our words; `None` if it lacks a waybill or a time.
    pub(super) fn scan(self) -> Option<Scan> {
        let Self { part: node, raw } = self;
        let occurred_at = beijing_time::read(&node.accept_time)?;
        if node.mailno.is_empty() {
            return None;
        }
        let time = beijing_time::write(occurred_at);
        Some(Scan {
            key: key([&node.mailno, &time, &node.op_code, &node.remark]),
            order_no: (!node.orderid.is_empty()).then(|| OrderNo::from_stored(node.orderid)),
            meaning: meaning(&node.op_code, &node.first_status_code, &node.remark),
            waybill: Waybill::new(node.mailno),
            code: node.op_code,
            occurred_at,
            place: node.accept_address,
            text: Private::new(node.remark),
            raw: Private::new(raw),
        })
    }
}

/// A push has an id that a query lacks, so a node is known by what both tell: a hash of it.
fn key(parts: [&str; 4]) -> String {
    hex::encode(digest(&SHA256, parts.join("\0").as_bytes()))
}

/// The newer status, where there is one, is kept with more care than the code.
fn meaning(op_code: &str, first_status: &str, remark: &str) -> ScanMeaning {
    if op_code == CLOSED {
        return ScanMeaning::Unchanged;
    }
    let meaning = match first_status {
        "1" => ScanMeaning::PickedUp,
        "2" => ScanMeaning::InTransit,
        "3" => ScanMeaning::OutForDelivery,
        "4" => ScanMeaning::Delivered,
        _ => {
            let row = MEANINGS.iter().find(|(_, codes)| codes.contains(&op_code));
            row.map_or(ScanMeaning::Unchanged, |(meaning, _)| *meaning)
        }
    };
    way_back::heard(meaning, remark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_and_a_push_tell_the_same_node() {
        let pushed: Told<Node> = serde_json::from_value(json!({"id": "173568970001", "mailno": "SF7444000000001",
            "orderid": "SD01", "acceptTime": "2025-01-02 09:10:11", "acceptAddress": "南京市", "remark": "已签收",
            "opCode": "80", "reasonCode": "", "reasonName": ""}))
        .unwrap();
        let told = json!({"routeResps": [{"mailNo": "SF7444000000001", "routes": [{"acceptTime": "2025-01-02 09:10:11",
            "acceptAddress": "南京市", "remark": "已签收", "opCode": 80, "firstStatusCode": 4}]}]});
        let (pushed, told) =
            (pushed.scan().unwrap(), of_answer(told, &Waybill::new("SF7444000000001")).unwrap().remove(0));
        assert_eq!(pushed.key, told.key);
        assert_eq!((pushed.meaning, told.meaning), (ScanMeaning::Delivered, ScanMeaning::Delivered));
        assert_eq!(pushed.order_no, Some(OrderNo::from_stored("SD01".to_owned())));
        assert!(pushed.raw.expose().contains("173568970001"), "nothing of it is lost");
        assert_eq!(told.occurred_at, "2025-01-02T01:10:11Z".parse::<crate::domain::kernel::clock::Instant>().unwrap());
    }

    #[test]
    fn only_the_waybill_that_was_asked_for_is_read() {
        let told = json!({"routeResps": {"mailNo": "SF2", "routes": [{"acceptTime": "2025-01-02 09:10:11"}]}});
        assert_eq!(of_answer(told, &Waybill::new("SF1")), Some(Vec::new()));
        assert_eq!(of_answer(json!([]), &Waybill::new("SF1")), Some(Vec::new()));
        assert_eq!(of_answer(Value::Null, &Waybill::new("SF1")), None);
    }

    #[test]
    fn codes_mean_what_real_trails_show() {
        for (code, status, words, expected) in [
            ("50", "", "", ScanMeaning::PickedUp),
            ("36", "", "", ScanMeaning::InTransit),
            ("44", "", "", ScanMeaning::InTransit),
            ("204", "", "", ScanMeaning::OutForDelivery),
            ("80", "", "已签收", ScanMeaning::Delivered),
            ("80", "", "退回件已签收", ScanMeaning::Returned),
            ("8000", "4", "", ScanMeaning::Unchanged),
            ("99", "", "应客户要求转寄", ScanMeaning::Exception),
            ("99", "", "应客户要求,快件退回", ScanMeaning::Returning),
            ("7777", "3", "", ScanMeaning::OutForDelivery),
            ("7777", "", "", ScanMeaning::Unchanged),
        ] {
            assert_eq!(meaning(code, status, words), expected, "{code} {status} {words}");
        }
    }

    #[test]
    fn only_the_end_of_the_phone_is_told() {
        let asked =
            |phone: &str| question(&Waybill::new("SF1"), &Private::new(phone.to_owned()))["checkPhoneNo"].clone();
        assert_eq!(asked("13800000002"), "0002");
        assert_eq!(asked("02"), "02");
        assert_eq!(asked("一二三"), "");
    }
}
