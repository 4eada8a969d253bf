//! Turns SF's route nodes into scans. Answers to queries (`EXP_RECE_SEARCH_ROUTES`) and SF's callbacks
//! (`RoutePushService`) contain the same nodes.

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::delivery::parcel::{OrderNo, Scan, ScanMeaning, Waybill};
use crate::domain::kernel::private::Private;
use crate::gateway::courier::beijing_time;
use crate::gateway::courier::lenient::{self, Text, WithRaw};
use crate::gateway::courier::meaning::{Meanings, of_code, with_words};

/// The meanings of `opCode`s, learned from real routes. Three codes are easy to misread. 44 is not a delivery: SF only
/// chooses a courier. 36 is an ordinary departure. 99, 631 and 648 mean a return or a new address, and only the scan's
/// text says which.
const MEANINGS: Meanings = &[
    (ScanMeaning::PickedUp, &["50", "54"]),
    (ScanMeaning::InTransit, &["30", "31", "36", "44", "123", "130", "407", "501", "607"]),
    (ScanMeaning::OutForDelivery, &["204"]),
    (ScanMeaning::Delivered, &["80"]),
    (ScanMeaning::Exception, &["33", "70", "99", "631", "648"]),
];

/// The code of a node that SF adds for its own records after the recipient has signed. It changes nothing.
const CLOSED: &str = "8000";

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RouteNode {
    #[serde(alias = "mailNo")]
    mailno: Text,
    #[serde(alias = "orderId")]
    orderid: Text,
    accept_time: Text,
    accept_address: Text,
    remark: Text,
    op_code: Text,
    first_status_code: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoutesReply {
    #[serde(default, deserialize_with = "lenient::list")]
    route_resps: Vec<Route>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Route {
    #[serde(alias = "mailno")]
    mail_no: Text,
    #[serde(deserialize_with = "lenient::list")]
    routes: Vec<WithRaw<RouteNode>>,
}

/// Builds the request that queries a waybill's route. For waybills of other accounts, SF needs the last digits of the
/// recipient's phone.
pub(super) fn question(waybill: &Waybill, recipient_phone: &Private<String>) -> Value {
    let phone = recipient_phone.expose();
    let end = phone.get(phone.len().saturating_sub(4)..).unwrap_or_default();
    json!({"language": "0", "trackingType": "1", "trackingNumber": [waybill.as_str()], "methodType": "1",
        "checkPhoneNo": end})
}

/// Returns the scans of one waybill in an answer; an empty list if the parcel has no scans yet; `None` if the answer is
/// not an answer to a route query.
pub(super) fn of_answer(content: Value, waybill: &Waybill) -> Option<Vec<Scan>> {
    let reply: RoutesReply = serde_json::from_value(content).ok()?;
    let routes = reply.route_resps.into_iter().filter(|route| route.mail_no.as_str() == waybill.as_str());
    let nodes = routes.flat_map(|route| route.routes);
    // In an answer, only the route names the waybill. So the waybill is copied into each node.
    let named = nodes.map(|mut node| {
        node.part.mailno = Text(waybill.as_str().to_owned());
        node
    });
    Some(named.filter_map(WithRaw::scan).collect())
}

impl WithRaw<RouteNode> {
    /// Turns the node into a scan. Returns `None` if the node has no waybill or no valid time.
    pub(super) fn scan(self) -> Option<Scan> {
        let Self { part: node, raw } = self;
        let occurred_at = beijing_time::read(&node.accept_time)?;
        if node.mailno.is_empty() {
            return None;
        }
        let time = beijing_time::write(occurred_at);
        Some(Scan {
            key: key([&node.mailno, &time, &node.op_code, &node.remark]),
            order_no: (!node.orderid.is_empty()).then(|| OrderNo::from_stored(node.orderid.0)),
            meaning: meaning(&node.op_code, &node.first_status_code, &node.remark),
            waybill: Waybill::new(node.mailno.0),
            code: node.op_code.0,
            occurred_at,
            place: node.accept_address.0,
            text: Private::new(node.remark.0),
            raw: Private::new(raw),
        })
    }
}

/// Computes the key of a scan from the fields that a push and a query share. SF's own id is not used, because only a
/// push contains it.
fn key(parts: [&str; 4]) -> String {
    hex::encode(digest(&SHA256, parts.join("\0").as_bytes()))
}

/// Returns the meaning of a node. SF added the field `firstStatusCode` (`first_status`) later. If a node has this
/// field, its value is more reliable than the `opCode`.
fn meaning(op_code: &str, first_status: &str, remark: &str) -> ScanMeaning {
    if op_code == CLOSED {
        return ScanMeaning::Unchanged;
    }
    let meaning = match first_status {
        "1" => ScanMeaning::PickedUp,
        "2" => ScanMeaning::InTransit,
        "3" => ScanMeaning::OutForDelivery,
        "4" => ScanMeaning::Delivered,
        _ => of_code(MEANINGS, op_code),
    };
    with_words(meaning, remark)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::kernel::clock::Instant;

    #[test]
    fn a_query_and_a_push_give_the_same_scan() {
        let pushed: WithRaw<RouteNode> =
            serde_json::from_value(json!({"id": "173568970001", "mailno": "SF7444000000001",
            "orderid": "SD01", "acceptTime": "2025-01-02 09:10:11", "acceptAddress": "南京市", "remark": "已签收",
            "opCode": "80", "reasonCode": "", "reasonName": ""}))
            .unwrap();
        let queried = json!({"routeResps": [{"mailNo": "SF7444000000001", "routes": [{"acceptTime": "2025-01-02 09:10:11",
            "acceptAddress": "南京市", "remark": "已签收", "opCode": 80, "firstStatusCode": 4}]}]});
        let pushed = pushed.scan().unwrap();
        let queried = of_answer(queried, &Waybill::new("SF7444000000001")).unwrap().remove(0);
        assert_eq!(pushed.key, queried.key);
        assert_eq!((pushed.meaning, queried.meaning), (ScanMeaning::Delivered, ScanMeaning::Delivered));
        assert_eq!(pushed.order_no, Some(OrderNo::from_stored("SD01".to_owned())));
        assert!(pushed.raw.expose().contains("173568970001"), "the raw node is kept");
        assert_eq!(queried.occurred_at, "2025-01-02T01:10:11Z".parse::<Instant>().unwrap());
    }

    #[test]
    fn only_the_requested_waybill_is_read() {
        let queried = json!({"routeResps": {"mailNo": "SF2", "routes": [{"acceptTime": "2025-01-02 09:10:11"}]}});
        assert_eq!(of_answer(queried, &Waybill::new("SF1")), Some(Vec::new()));
        assert_eq!(of_answer(json!([]), &Waybill::new("SF1")), Some(Vec::new()));
        assert_eq!(of_answer(Value::Null, &Waybill::new("SF1")), None);
    }

    #[test]
    fn each_code_has_the_meaning_of_real_routes() {
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
    fn only_the_last_digits_of_the_phone_are_sent() {
        let asked =
            |phone: &str| question(&Waybill::new("SF1"), &Private::new(phone.to_owned()))["checkPhoneNo"].clone();
        assert_eq!(asked("13800000002"), "0002");
        assert_eq!(asked("02"), "02");
        assert_eq!(asked("一二三"), "");
    }
}
