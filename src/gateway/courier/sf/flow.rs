//! Tests of SF's client against a fake server, which gives valid or invalid answers, or no answer.

use serde_json::{Value, json};

use super::*;
use crate::domain::delivery::parcel::ScanMeaning;
use crate::gateway::courier::CarrierFact;
use crate::gateway::courier::sample::{number, order};
use crate::gateway::shared::http::HttpSettings;
use crate::gateway::shared::loopback::{Loopback, LoopbackReply, json as says, unreachable};

fn carrier(at: &HttpSettings) -> Arc<dyn Carrier> {
    let mut env = Env::of([
        ("SONGDA_SF_URL", at.base_url.as_str()),
        ("SONGDA_SF_PARTNER_ID", "GOV"),
        ("SONGDA_SF_CHECK_WORD", "abc123"),
        ("SONGDA_SF_MONTHLY_CARD", "7551234567"),
        ("SONGDA_SF_CALLBACK_SECRET", "0123456789abcdef0123456789abcdef"),
    ]);
    let clock = Clock::frozen("2025-01-01T00:00:00Z".parse().unwrap());
    build(&mut env, &clock).unwrap_or_else(|| panic!("{:?}", env.faults()))
}

fn passed(inner: &Value) -> LoopbackReply {
    says(&json!({"apiResultCode": "A1000", "apiResultData": inner.to_string()}))
}

fn done(msg_data: &Value) -> LoopbackReply {
    passed(&json!({"success": true, "errorCode": "S0000", "errorMsg": null, "msgData": msg_data}))
}

fn refused(code: &str) -> LoopbackReply {
    passed(&json!({"success": false, "errorCode": code, "errorMsg": "收件人张三", "msgData": null}))
}

fn platform(code: &str) -> LoopbackReply {
    says(&json!({"apiErrorMsg": "no", "apiResultCode": code, "apiResultData": ""}))
}

fn booked() -> Value {
    json!({"orderId": "SD01", "filterResult": 2,
        "waybillNoInfoList": [{"waybillType": 1, "waybillNo": "SF7444000000001"}]})
}

async fn order_fact(reply: LoopbackReply) -> CarrierFact {
    carrier(&Loopback::always(reply).await.settings).order(&order()).await.unwrap_err().fact
}

#[tokio::test]
async fn an_order_is_booked() {
    let sf = Loopback::always(done(&booked())).await;
    let carrier = carrier(&sf.settings);
    for _ in 0..2 {
        let booking = carrier.order(&order()).await.unwrap();
        assert_eq!(booking.waybill, Some(Waybill::new("SF7444000000001")));
    }
    let heard = sf.calls();
    let form = heard[0].form();
    assert_eq!((heard[0].path.as_str(), form["serviceCode"].as_str()), ("/std/service", "EXP_RECE_CREATE_ORDER"));
    assert_eq!(form["timestamp"], "1735689600000");
    let expected = digest::digest(&form["msgData"], &form["timestamp"], &Private::new("abc123".to_owned()));
    assert_eq!(form["msgDigest"], expected, "the digest is over the sent text");
    assert_ne!(form["requestID"], heard[1].form()["requestID"], "each attempt has its own");
    let sent: Value = serde_json::from_str(&form["msgData"]).unwrap();
    let office = json!({"contactType": 1, "contact": "某区政务服务中心", "tel": "025-84000000",
        "country": "CN", "province": "江苏省", "city": "南京市", "county": "玄武区", "address": "示例路1号"});
    let recipient = json!({"contactType": 2, "contact": "张三", "mobile": "13800000002",
        "country": "CN", "province": "江苏省", "city": "南京市", "county": "玄武区", "address": "示例街2号3幢401"});
    let order = json!({
        "language": "zh-CN", "orderId": "SD01", "expressTypeId": 2, "payMethod": 1, "monthlyCard": "7551234567",
        "isReturnRoutelabel": 1, "isGenWaybillNo": 1, "parcelQty": 1, "totalWeight": 0.3,
        "cargoDetails": [{"name": "文件", "count": 1, "unit": "份"}], "contactInfoList": [office, recipient],
    });
    assert_eq!(sent, order, "these fields, and nothing of the item");
}

#[tokio::test]
async fn an_order_with_an_unclear_answer_is_ambiguous() {
    for reply in [
        LoopbackReply::HangsUp,
        LoopbackReply::Says(500, "<html>busy</html>".to_owned()),
        LoopbackReply::Says(200, "<html>busy</html>".to_owned()),
        platform("A1007"),
        platform("A1009"),
        platform("A1099"),
        refused("4001"),
        refused("4711"),
        done(&json!({"orderId": "SD02", "filterResult": 1})),
    ] {
        assert_eq!(order_fact(reply).await, CarrierFact::Ambiguous);
    }
}

#[tokio::test]
async fn a_clear_refusal_has_its_fact() {
    let undeliverable = done(&json!({"orderId": "SD01", "filterResult": "3", "remark": "超范围"}));
    assert_eq!(order_fact(undeliverable).await, CarrierFact::AddressRefused);
    assert_eq!(order_fact(refused("8196")).await, CarrierFact::AddressRefused);
    assert_eq!(order_fact(refused("8016")).await, CarrierFact::Duplicate);
    assert_eq!(order_fact(refused("8119")).await, CarrierFact::Misconfigured);
    assert_eq!(order_fact(platform("A1006")).await, CarrierFact::Misconfigured);
    let after = Some(Duration::from_secs(2));
    assert_eq!(order_fact(platform("A1005")).await, CarrierFact::Throttled { after });
    let fault = carrier(&unreachable().await).order(&order()).await.unwrap_err();
    assert_eq!(fault.fact, CarrierFact::Unavailable, "nothing was sent");
}

#[tokio::test]
async fn the_carriers_words_are_not_in_the_fault() {
    let fault = carrier(&Loopback::always(refused("8196")).await.settings).order(&order()).await.unwrap_err();
    assert_eq!(fault.detail, "8196");
}

#[tokio::test]
async fn an_order_under_check_has_no_waybill_yet() {
    let sf = Loopback::always(done(&json!({"orderId": "SD01", "filterResult": 1}))).await;
    assert_eq!(carrier(&sf.settings).order(&order()).await, Ok(Booking { waybill: None }));
    assert_eq!(carrier(&sf.settings).waybill(&number()).await, Ok(None));
    let sf = Loopback::always(done(&booked())).await;
    assert_eq!(carrier(&sf.settings).waybill(&number()).await, Ok(Some(Waybill::new("SF7444000000001"))));
}

#[tokio::test]
async fn an_unknown_outcome_is_cleared_up_by_a_look_up() {
    let found = json!({"orderid": "SD01", "origincode": "025", "filterResult": "2",
        "waybillNoInfoList": [{"waybillType": "1", "waybillNo": "SF7444000000001"}]});
    let booking = Booking { waybill: Some(Waybill::new("SF7444000000001")) };
    for (reply, recovery) in [
        (done(&found), Recovery::Found(booking)),
        (refused("6150"), Recovery::Absent),
        (refused("8018"), Recovery::Absent),
        (refused("8253"), Recovery::Withdrawn),
    ] {
        let sf = Loopback::always(reply).await;
        assert_eq!(carrier(&sf.settings).recover(&number()).await, Ok(recovery));
        assert_eq!(sf.calls()[0].form()["serviceCode"], "EXP_RECE_SEARCH_ORDER_RESP");
    }
    for (reply, fact) in [
        (LoopbackReply::HangsUp, CarrierFact::Unavailable),
        (done(&json!({"orderId": "SD01", "filterResult": "3"})), CarrierFact::AddressRefused),
    ] {
        assert_eq!(carrier(&Loopback::always(reply).await.settings).recover(&number()).await.unwrap_err().fact, fact);
    }
}

#[tokio::test]
async fn a_cancellation_has_its_outcome() {
    let cancel = async |reply| {
        carrier(&Loopback::always(reply).await.settings).cancel(&number(), Some(&Waybill::new("SF1"))).await
    };
    for reply in [done(&json!({"resStatus": 2})), refused("8037"), refused("8253")] {
        assert_eq!(cancel(reply).await, Ok(()));
    }
    for (reply, fact) in [
        (done(&json!({"resStatus": "1"})), CarrierFact::Absent),
        (refused("8018"), CarrierFact::Absent),
        (LoopbackReply::HangsUp, CarrierFact::Ambiguous),
    ] {
        assert_eq!(cancel(reply).await.unwrap_err().fact, fact);
    }
}

#[tokio::test]
async fn a_late_cancellation_may_be_a_repetition_of_our_own() {
    for code in ["8019", "8252"] {
        for (found, outcome) in [
            (refused("8253"), Ok(())),
            (done(&booked()), Err(CarrierFact::WrongState)),
            (LoopbackReply::HangsUp, Err(CarrierFact::Unavailable)),
        ] {
            let sf = Loopback::start(move |call| match call.form()["serviceCode"].as_str() {
                "EXP_RECE_UPDATE_ORDER" => refused(code),
                _ => found.clone(),
            })
            .await;
            let cancelled = carrier(&sf.settings).cancel(&number(), Some(&Waybill::new("SF1"))).await;
            assert_eq!(cancelled.map_err(|fault| fault.fact), outcome, "{code}");
        }
    }
}

#[tokio::test]
async fn a_request_that_was_too_old_is_sent_again_once() {
    let times = std::sync::atomic::AtomicU32::new(0);
    let late = Loopback::start(move |_| match times.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0 => platform("A1002"),
        _ => done(&booked()),
    })
    .await;
    assert!(carrier(&late.settings).order(&order()).await.is_ok());
    let wrong_clock = Loopback::always(platform("A1002")).await;
    assert_eq!(carrier(&wrong_clock.settings).order(&order()).await.unwrap_err().fact, CarrierFact::Misconfigured);
    assert_eq!(wrong_clock.calls().len(), 2);
}

#[tokio::test]
async fn a_route_is_read() {
    let sf = Loopback::always(done(&json!({"routeResps": [{"mailNo": "SF1", "routes": [
        {"acceptTime": "2025-01-02 09:10:11", "remark": "已收取快件", "opCode": 50, "firstStatusCode": 1}]}]})))
    .await;
    let scans =
        carrier(&sf.settings).track(&Waybill::new("SF1"), &Private::new("13800000002".to_owned())).await.unwrap();
    assert_eq!(scans.iter().map(|scan| scan.meaning).collect::<Vec<_>>(), [ScanMeaning::PickedUp]);
    assert!(sf.calls()[0].form()["msgData"].contains(r#""checkPhoneNo":"0002""#));
}

#[tokio::test]
async fn a_label_is_fetched_from_known_hosts_only() {
    let printed = |url: String| {
        passed(&json!({"success": true, "obj": {"files": [
        {"url": url, "token": "once", "waybillNo": "SF1"}]}}))
    };
    let sf = Loopback::start(move |call| match call.path.as_str() {
        "/files/1.pdf" => LoopbackReply::Says(200, "%PDF-1.4 label".to_owned()),
        _ => printed(format!("http://{}/files/1.pdf", call.headers["host"])),
    })
    .await;
    let label = carrier(&sf.settings).label(&Waybill::new("SF1")).await.unwrap();
    assert_eq!(label.content_type, "application/pdf");
    assert_eq!(sf.calls()[1].headers["x-auth-token"], "once");

    let sf = Loopback::always(printed("http://elsewhere.example/1.pdf".to_owned())).await;
    assert_eq!(carrier(&sf.settings).label(&Waybill::new("SF1")).await.unwrap_err().fact, CarrierFact::Misconfigured);
}
