//! Tests of EMS's client against a fake server, which gives valid or invalid answers, or no answer.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};

use super::*;
use crate::domain::delivery::parcel::ScanMeaning;
use crate::gateway::courier::CarrierFact;
use crate::gateway::courier::sample::{number, order};
use crate::gateway::shared::http::HttpSettings;
use crate::gateway::shared::loopback::{Loopback, LoopbackReply, ReceivedCall, json as says, unreachable};

const KEY: &str = "R292VGVzdFNtNEtleTAxNg==";

fn carrier(at: &HttpSettings) -> Arc<dyn Carrier> {
    let mut env = Env::of([
        ("SONGDA_EMS_URL", at.base_url.as_str()),
        ("SONGDA_EMS_SENDER_NO", "1100000000000"),
        ("SONGDA_EMS_AUTHORIZATION", "issued"),
        ("SONGDA_EMS_KEY", KEY),
        ("SONGDA_EMS_CALLBACK_SECRET", "0123456789abcdef0123456789abcdef"),
    ]);
    let clock = Clock::frozen("2025-01-02T01:00:00Z".parse().unwrap());
    build(&mut env, &clock).unwrap_or_else(|| panic!("{:?}", env.faults()))
}

fn ok(body: &Value) -> LoopbackReply {
    says(&json!({"retCode": "00000", "retMsg": "成功", "retBody": body.to_string()}))
}

fn refused(message: &str) -> LoopbackReply {
    says(&json!({"retCode": "B01", "retMsg": message, "success": false}))
}

async fn order_fact(reply: LoopbackReply) -> CarrierFact {
    carrier(&Loopback::always(reply).await.settings).order(&order()).await.unwrap_err().fact
}

/// Decrypts the content of a call, as EMS does.
fn opened(heard: &ReceivedCall) -> String {
    let key = cipher::Sm4Key::parse(Private::new(KEY.to_owned())).unwrap();
    key.open(&heard.form()["logitcsInterface"]).unwrap().into_exposed()
}

#[tokio::test]
async fn an_order_is_booked() {
    let ems = Loopback::always(ok(&json!({"waybillNo": 1_200_000_000_001_u64}))).await;
    let booking = carrier(&ems.settings).order(&order()).await.unwrap();
    assert_eq!(booking.waybill, Some(Waybill::new("1200000000001")));

    let heard = ems.calls().remove(0);
    assert_eq!(heard.path, "/amp-prod-api/f/amp/api/open");
    assert_eq!(heard.form()["apiCode"], "020003");
    assert_eq!(heard.form()["timeStamp"], "2025-01-02 09:00:00");
    let orders: Value = serde_json::from_str(&opened(&heard)).unwrap();
    let office = json!({"name": "某区政务服务中心", "phone": "025-84000000",
        "prov": "江苏省", "city": "南京市", "county": "玄武区", "address": "示例路1号"});
    let recipient = json!({"name": "张三", "mobile": "13800000002",
        "prov": "江苏省", "city": "南京市", "county": "玄武区", "address": "示例街2号3幢401"});
    let order = json!({
        "createdTime": "2025-01-02 09:00:00", "logisticsOrderNo": "SD01", "ecommerceUserId": "songda",
        "senderNo": "1100000000000", "bizProductNo": "1", "contentsAttribute": "1", "weight": "300", "insuranceFlag": "1",
        "deliverType": "2", "paymentMode": "1", "codFlag": "9", "receiptFlag": "1", "virtualNumFlag": "1",
        "sender": office, "receiver": recipient, "cargos": [{"cargoName": "文件"}],
    });
    assert_eq!(orders, json!([order]), "these fields, and nothing of the item");
}

#[tokio::test]
async fn an_order_with_an_unclear_answer_is_ambiguous() {
    for reply in [
        LoopbackReply::HangsUp,
        LoopbackReply::Says(500, "<html>busy</html>".to_owned()),
        LoopbackReply::Says(200, "<html>busy</html>".to_owned()),
        ok(&json!({})),
        refused("系统异常"),
        refused("未知的话"),
    ] {
        assert_eq!(order_fact(reply).await, CarrierFact::Ambiguous);
    }
}

#[tokio::test]
async fn a_clear_refusal_has_its_fact() {
    assert_eq!(order_fact(refused("订单号重复")).await, CarrierFact::Duplicate);
    assert_eq!(order_fact(refused("收件人地址超范围")).await, CarrierFact::AddressRefused);
    assert_eq!(order_fact(refused("授权码错误")).await, CarrierFact::Misconfigured);
    assert_eq!(order_fact(refused("请求频繁")).await, CarrierFact::Throttled { after: None });
    let page = LoopbackReply::Says(429, "".to_owned());
    assert_eq!(order_fact(page).await, CarrierFact::Throttled { after: None });
    let fault = carrier(&unreachable().await).order(&order()).await.unwrap_err();
    assert_eq!(fault.fact, CarrierFact::Unavailable, "nothing was sent");
}

#[tokio::test]
async fn an_unknown_outcome_is_cleared_up_by_cancelling() {
    for (reply, recovery) in [
        (ok(&Value::Null), Recovery::Withdrawn),
        (refused("订单已取消"), Recovery::Withdrawn),
        (refused("订单不存在"), Recovery::Absent),
        (refused("邮件已收寄,不能取消"), Recovery::Found(Booking { waybill: None })),
    ] {
        let ems = Loopback::always(reply).await;
        assert_eq!(carrier(&ems.settings).recover(&number()).await, Ok(recovery));
        assert_eq!(ems.calls()[0].form()["apiCode"], "020006");
        assert!(opened(&ems.calls()[0]).contains(r#""logisticsOrderNo":"SD01""#));
    }
    for (reply, fact) in
        [(LoopbackReply::HangsUp, CarrierFact::Ambiguous), (refused("授权码错误"), CarrierFact::Misconfigured)]
    {
        assert_eq!(carrier(&Loopback::always(reply).await.settings).recover(&number()).await.unwrap_err().fact, fact);
    }
}

#[tokio::test]
async fn a_cancellation_of_an_unknown_order_is_absent() {
    let cancel = async |reply| {
        carrier(&Loopback::always(reply).await.settings).cancel(&number(), Some(&Waybill::new("12"))).await
    };
    assert_eq!(cancel(ok(&Value::Null)).await, Ok(()));
    assert_eq!(cancel(refused("订单已取消")).await, Ok(()));
    assert_eq!(cancel(refused("未找到订单")).await.unwrap_err().fact, CarrierFact::Absent);
}

#[tokio::test]
async fn tracking_events_are_read() {
    let item = json!({"waybillNo": 12, "opTime": "2025-01-02 10:00:00", "opCode": 704, "opName": "妥投"});
    let stranger = json!({"waybillNo": "13", "opTime": "2025-01-02 10:00:00", "opCode": "704"});
    let track = async |reply| {
        let ems = Loopback::always(reply).await;
        carrier(&ems.settings).track(&Waybill::new("12"), &Private::new(String::new())).await
    };
    let scans = track(ok(&json!({"responseItems": [item, stranger, {"opTime": "never"}]}))).await.unwrap();
    assert_eq!(scans.iter().map(|scan| scan.meaning).collect::<Vec<_>>(), [ScanMeaning::Delivered]);
    for nothing in [ok(&Value::Null), ok(&json!({"responseItems": null})), refused("查无轨迹信息")] {
        assert_eq!(track(nothing).await, Ok(Vec::new()), "not yet scanned");
    }
    assert_eq!(track(LoopbackReply::HangsUp).await.unwrap_err().fact, CarrierFact::Unavailable);
}

#[tokio::test]
async fn a_label_comes_from_the_answer_or_from_ems_itself() {
    const PDF: &str = "%PDF-1.4 label";
    let label = async |ems: &Loopback| carrier(&ems.settings).label(&Waybill::new("12")).await;

    let ems = Loopback::always(says(&json!({"retCode": "00000", "retBody": BASE64_STANDARD.encode(PDF)}))).await;
    assert_eq!(label(&ems).await.unwrap().bytes.expose(), PDF.as_bytes());

    let ems = Loopback::start(|call| match call.path.as_str() {
        "/files/12.pdf" => LoopbackReply::Says(200, PDF.to_owned()),
        _ => ok(&json!({"url": format!("http://{}/files/12.pdf", call.headers["host"])})),
    })
    .await;
    assert_eq!(label(&ems).await.unwrap().bytes.expose(), PDF.as_bytes());

    let ems = Loopback::always(ok(&json!("http://elsewhere.example/12.pdf"))).await;
    assert_eq!(label(&ems).await.unwrap_err().fact, CarrierFact::Misconfigured);
    assert_eq!(ems.calls().len(), 1);
}
