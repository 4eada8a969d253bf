//! Tests of the channel against a fake gateway on the loopback address.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::domain::kernel::text::Language;
use crate::domain::notice::notification::Consent;
use crate::gateway::push::PushFact;
use crate::gateway::shared::acs3::{self, RpcCall};
use crate::gateway::shared::http::HttpSettings;
use crate::gateway::shared::loopback::{self, Loopback, LoopbackReply, unreachable};

const NOW: &str = "2026-01-02T04:00:00Z";

fn channel_at(at: &HttpSettings) -> Arc<dyn PushChannel> {
    let mut env = Env::of([
        ("SONGDA_SMS_ALIYUN_URL", at.base_url.as_str()),
        ("SONGDA_SMS_ALIYUN_ACCESS_KEY_ID", "testId"),
        ("SONGDA_SMS_ALIYUN_SECRET", "testSecret"),
        ("SONGDA_SMS_ALIYUN_SIGN_NAME", "某区政务"),
        ("SONGDA_SMS_ALIYUN_LOGIN_TEMPLATE", "SMS_1"),
        ("SONGDA_SMS_ALIYUN_CALLBACK_SECRET", "0123456789abcdef0123456789abcdef"),
    ]);
    build(&mut env, &Clock::frozen(NOW.parse().unwrap())).unwrap()
}

fn message() -> PushMessage {
    PushMessage {
        key: "push-0001".to_owned(),
        template: "SMS_100000001".to_owned(),
        fields: BTreeMap::from([("name".to_owned(), "办件 A*1~".to_owned())]),
        page: None,
        fallbacks: BTreeMap::new(),
        language: Language::Chinese,
        consent: Consent::NotNeeded,
    }
}

fn phone() -> Private<String> {
    Private::new("13800000000".to_owned())
}

async fn send_to(http: &HttpSettings) -> PushReport {
    channel_at(http).send(&phone(), &message()).await
}

async fn find(http: &HttpSettings, handed_over: &[&str]) -> Found {
    let handed_over: Vec<Instant> = handed_over.iter().map(|at| at.parse().unwrap()).collect();
    channel_at(http).find(&phone(), "push-0001", &handed_over).await
}

#[tokio::test]
async fn a_message_is_signed_and_no_personal_data_is_in_the_url() {
    let gateway = Loopback::answering(json!({"Code": "OK", "BizId": "7000^0", "RequestId": "8906582E"})).await;
    let report = send_to(&gateway.settings).await;
    assert_eq!(report.fact, PushFact::Delivered { reference: Some("7000^0".to_owned()) });
    assert_eq!(report.detail, "OK, request 8906582E");

    let sent = gateway.calls().pop().unwrap();
    assert!(sent.query.is_empty() && sent.path == "/");
    let form = sent.form();
    assert_eq!(form["PhoneNumbers"], "13800000000");
    assert_eq!(form["TemplateParam"], r#"{"name":"办件 A*1~"}"#);
    assert_eq!(form["OutId"], "push-0001");
    let host = &sent.headers["host"];
    let call = RpcCall { host, action: "SendSms", version: VERSION, query: &[], form: Some(&sent.body) };
    let nonce = &sent.headers["x-acs-signature-nonce"];
    let credentials = Credentials { key_id: "testId".to_owned(), secret: Private::new("testSecret".to_owned()) };
    for (name, value) in acs3::sign(&credentials, &call, NOW.parse().unwrap(), nonce) {
        assert_eq!(sent.headers[name], value, "{name}");
    }
}

#[tokio::test]
async fn a_nonce_is_never_used_twice() {
    let gateway = Loopback::answering(json!({"Code": "OK"})).await;
    let (first, second) = tokio::join!(send_to(&gateway.settings), send_to(&gateway.settings));
    assert_eq!(first, second);
    let calls = gateway.calls();
    assert_ne!(calls[0].headers["x-acs-signature-nonce"], calls[1].headers["x-acs-signature-nonce"]);
}

#[tokio::test]
async fn an_unreadable_answer_counts_by_how_far_the_request_came() {
    for (status, body, fact) in [
        (200, "<html>", PushFact::Ambiguous),
        (503, "", PushFact::Ambiguous),
        (403, "<html>", PushFact::Unavailable),
        (400, r#"{"Code":"SignatureDoesNotMatch"}"#, PushFact::Misconfigured),
    ] {
        let gateway = Loopback::always(LoopbackReply::Says(status, body.to_owned())).await;
        assert_eq!(send_to(&gateway.settings).await.fact, fact, "{status} {body}");
    }
    let gateway = Loopback::always(LoopbackReply::HangsUp).await;
    let report = send_to(&gateway.settings).await;
    assert_eq!(report.fact, PushFact::Ambiguous);
    assert!(!report.detail.contains("138"), "{}", report.detail);
    assert_eq!(send_to(&unreachable().await).await.fact, PushFact::Unavailable);
}

/// Starts a service that lists 60 messages to the phone number on 2026-01-02. Our message is on the second page.
async fn service_with_two_pages() -> Loopback {
    Loopback::start(|call| {
        let form = call.form();
        let (total, list) = match (form["SendDate"].as_str(), form["CurrentPage"].as_str()) {
            ("20260102", "1") => ("60", json!(vec![json!({"OutId": "other"}); 50])),
            ("20260102", "2") => ("60", json!([{"OutId": "other"}, {"OutId": "push-0001"}])),
            _ => ("0", json!([])),
        };
        loopback::json(&json!({"Code": "OK", "TotalCount": total, "SmsSendDetailDTOs": {"SmsSendDetailDTO": list}}))
    })
    .await
}

#[tokio::test]
async fn a_message_is_found_by_our_key_on_a_later_page() {
    let gateway = service_with_two_pages().await;
    assert_eq!(find(&gateway.settings, &[NOW]).await, Found::Yes);
    assert_eq!(gateway.calls().len(), 2);
    assert_eq!(gateway.calls()[0].headers["x-acs-action"], "QuerySendDetails");
}

#[tokio::test]
async fn the_queried_day_is_beijings() {
    for (handed_over, found) in [
        (&["2026-01-01T16:00:00Z"][..], Found::Yes), // midnight
        (&["2026-01-01T15:59:30Z"], Found::Yes),     // half a minute before: both days are queried
        (&["2026-01-01T15:00:00Z"], Found::No),
        (&["2026-01-02T15:59:30Z"], Found::Yes),
        (&["2026-01-01T15:00:00Z", "2026-01-01T15:30:00Z", NOW], Found::Yes), // only the last copy was sent on 01-02
    ] {
        let gateway = service_with_two_pages().await;
        assert_eq!(find(&gateway.settings, handed_over).await, found, "{handed_over:?}");
    }
}

#[tokio::test]
async fn a_copy_that_arrived_outweighs_one_that_failed() {
    let failed = json!({"OutId": "push-0001", "SendStatus": 2, "ErrCode": "USER_REJECT"});
    let arrived = json!({"OutId": "push-0001", "SendStatus": 3});
    let refused = Found::Failed(PushReport::new(PushFact::Refused, "sent, and failed: USER_REJECT"));
    for (list, found) in [(json!([failed]), refused), (json!([failed, arrived]), Found::Yes)] {
        let page = json!({"Code": "OK", "TotalCount": 2, "SmsSendDetailDTOs": {"SmsSendDetailDTO": list}});
        let gateway = Loopback::answering(page).await;
        assert_eq!(find(&gateway.settings, &[NOW]).await, found);
    }
}

#[tokio::test]
async fn a_search_without_an_answer_is_unknown() {
    let gateway = Loopback::always(LoopbackReply::HangsUp).await;
    assert_eq!(find(&gateway.settings, &[NOW]).await, Found::Unknown);
}

#[tokio::test]
async fn callbacks_are_acknowledged_in_the_services_form() {
    let channel = channel_at(&unreachable().await);
    assert_eq!(channel.acknowledge(true).body, r#"{"code":0,"msg":"ok"}"#);
    assert_ne!(channel.acknowledge(false).status, 200);
    assert_eq!(channel.login_template(), Some("SMS_1"));
}

#[tokio::test]
async fn a_call_that_was_too_old_is_signed_again_once() {
    let too_old = r#"{"Code":"InvalidTimeStamp.Expired"}"#.to_owned();
    let gateway = Loopback::always(LoopbackReply::Says(400, too_old)).await;
    assert_eq!(send_to(&gateway.settings).await.fact, PushFact::Misconfigured);
    assert_eq!(gateway.calls().len(), 2);
}
