//! Tests that call the simulated SMS service as a client calls the real service.

use serde_json::{Value, json};

use super::*;
use crate::domain::kernel::clock::Instant;
use crate::sandbox::Running;
use crate::sandbox::acs3::signer::Signer;
use crate::sandbox::client::{CallbackServer, TestClient, running};

async fn sandbox(callbacks: Option<&CallbackServer>) -> (Running, Signer) {
    let running = running(twin, &[], callbacks).await;
    let signer = Signer::new(&running.url(NAME), "sandbox-sms-key", "sandbox-sms-secret");
    (running, signer)
}

async fn send(signer: &Signer, phone: &str, out_id: &str) -> (u16, Value) {
    let form = [
        ("PhoneNumbers", phone),
        ("SignName", "某区政务"),
        ("TemplateCode", "SMS_100000001"),
        ("TemplateParam", "{\"item\":\"居住证 A*1~\"}"),
        ("OutId", out_id),
    ];
    signer.post("SendSms", VERSION, &form).await
}

async fn find(signer: &Signer, phone: &str, at: Instant) -> Value {
    let day = day(at);
    let form = [("PhoneNumber", phone), ("SendDate", &day), ("PageSize", "10"), ("CurrentPage", "1")];
    signer.post("QuerySendDetails", VERSION, &form).await.1
}

#[tokio::test]
async fn a_message_arrives_and_can_be_found() {
    let (running, signer) = sandbox(None).await;
    assert_eq!(find(&signer, "13912345678", running.world().now()).await["TotalCount"], 0);
    let (status, answer) = send(&signer, "13912345678", "push-1").await;
    assert_eq!((status, &answer["Code"]), (200, &json!("OK")));
    let found = find(&signer, "13912345678", running.world().now()).await;
    assert_eq!(found["SmsSendDetailDTOs"]["SmsSendDetailDTO"][0]["OutId"], "push-1");
    let messages = running.world().phones.of("13912345678");
    assert_eq!((messages[0].key.as_deref(), messages[0].fields["item"].as_str()), (Some("push-1"), "居住证 A*1~"));
}

#[tokio::test]
async fn a_repeated_message_arrives_twice() {
    let (running, signer) = sandbox(None).await;
    send(&signer, "13912345678", "push-1").await;
    send(&signer, "13912345678", "push-1").await;
    assert_eq!(running.world().phones.of("13912345678")[0].copies, 2);
    assert_eq!(running.world().phones.counts(), (1, 1));
}

#[tokio::test]
async fn a_lost_answer_leaves_the_message_delivered() {
    let (running, signer) = sandbox(None).await;
    assert_eq!(send(&signer, "13800000408", "push-1").await.0, 0, "no answer");
    assert_eq!(running.world().phones.of("13800000408").len(), 1);
    assert_eq!(send(&signer, "13800000407", "push-2").await.0, 0);
    assert!(running.world().phones.of("13800000407").is_empty());
}

#[tokio::test]
async fn magic_recipients_and_ordered_faults_choose_the_answer() {
    let (running, signer) = sandbox(None).await;
    for (phone, code) in [("13800000404", "isv.MOBILE_NUMBER_ILLEGAL"), ("13800000403", "isv.CUSTOMER_REFUSED")] {
        assert_eq!(send(&signer, phone, "push-1").await.1["Code"], code);
    }
    assert_eq!(send(&signer, "12345", "push-1").await.1["Code"], "isv.MOBILE_NUMBER_ILLEGAL");
    let control = TestClient::new(&running.base_url());
    let order = json!({ "gateway": NAME, "operation": "SendSms", "fault": "throttle", "times": 1 });
    assert_eq!(control.json("POST", "/_sandbox/faults", &order).await.0, 204);
    assert_eq!(send(&signer, "13912345678", "push-1").await.1["Code"], "Throttling.User");
    assert_eq!(send(&signer, "13912345678", "push-1").await.1["Code"], "OK");
    assert_eq!(send(&signer, "13800000500", "push-1").await.0, 500);
    let garbage = send(&signer, "13800000200", "push-1").await;
    assert_eq!(garbage, (200, Value::Null), "delivered, but the answer is unreadable");
    assert_eq!(running.world().phones.of("13800000200").len(), 1);
    let faults = control.get("/_sandbox/faults").await;
    assert_eq!(faults["injected"]["throttle"], 1);
}

#[tokio::test]
async fn a_receipt_is_sent_until_it_is_accepted() {
    let mut server = CallbackServer::answering(vec![|_| "no".into(), |_| "{\"code\":0,\"msg\":\"ok\"}".into()]).await;
    let (running, signer) = sandbox(Some(&server)).await;
    let (_, answer) = send(&signer, "13912345678", "push-1").await;
    let first = server.next().await;
    let second = server.next().await;
    assert_eq!(
        (first.path.as_str(), &first.body),
        ("/callbacks/sms_aliyun/sandbox-sms_aliyun-callbacks-0123456789abcdef", &second.body)
    );
    let receipts = first.json().unwrap();
    assert_eq!((&receipts[0]["biz_id"], &receipts[0]["out_id"]), (&answer["BizId"], &json!("push-1")));
    assert!(server.is_silent());
    assert_eq!(running.world().counters.get(NAME, "callback not acknowledged"), 1);
}
