//! The channel against a gateway on the loopback address.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::domain::kernel::text::Language;
use crate::domain::notice::notification::Consent;
use crate::gateway::push::PushFact;
use crate::gateway::shared::acs3::{self, Call, Credentials};
use crate::gateway::shared::http::HttpSettings;
use crate::gateway::shared::loopback::{self, Loopback, Reply, nobody};

const NOW: &str = "2026-01-02T04:00:00Z";

fn credentials() -> Credentials {
    Credentials { key_id: "testId".to_owned(), secret: Private::new("testSecret".to_owned()) }
}

fn channel_at(http: &HttpSettings) -> SmsAliyun {
    let settings = Settings {
        http: http.clone(),
        pace: Pace { per_second: 1, slots: 1 },
        credentials: credentials(),
        sign_name: "某区政务".to_owned(),
        login_template: "SMS_1".to_owned(),
    };
    SmsAliyun::new(settings, Clock::frozen(NOW.parse().unwrap())).unwrap()
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
async fn a_message_is_signed_and_nothing_personal_is_in_the_url() {
    let gateway =
        Loopback::start(|_| loopback::json(&json!({"Code": "OK", "BizId": "7000^0", "RequestId": "8906582E"}))).await;
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
    let call = Call { host, action: "SendSms", version: VERSION, query: &[], form: Some(&sent.body) };
    let nonce = &sent.headers["x-acs-signature-nonce"];
    for (name, value) in acs3::sign(&credentials(), &call, NOW.parse().unwrap(), nonce) {
        assert_eq!(sent.headers[name], value, "{name}");
    }
}

#[tokio::test]
async fn a_nonce_is_never_used_twice() {
    let gateway = Loopback::start(|_| loopback::json(&json!({"Code": "OK"}))).await;
    let (first, second) = tokio::join!(send_to(&gateway.settings), send_to(&gateway.settings));
    assert_eq!(first, second);
    let calls = gateway.calls();
    assert_ne!(calls[0].headers["x-acs-signature-nonce"], calls[1].headers["x-acs-signature-nonce"]);
}

#[tokio::test]
async fn an_answer_that_says_nothing_is_judged_by_how_far_the_request_came() {
    for (status, body, fact) in [
        (200, "<html>", PushFact::Ambiguous),
        (503, "", PushFact::Ambiguous),
        (403, "<html>", PushFact::Unavailable),
        (400, r#"{"Code":"SignatureDoesNotMatch"}"#, PushFact::Misconfigured),
    ] {
        let gateway = Loopback::start(move |_| Reply::Says(status, body.to_owned())).await;
        assert_eq!(send_to(&gateway.settings).await.fact, fact, "{status} {body}");
    }
    let gateway = Loopback::start(|_| Reply::HangsUp).await;
    let report = send_to(&gateway.settings).await;
    assert_eq!(report.fact, PushFact::Ambiguous);
    assert!(!report.detail.contains("138"), "{}", report.detail);
    assert_eq!(send_to(&nobody().await).await.fact, PushFact::Unavailable);
}

/// A service that lists 60 messages to the number on 2026-01-02, ours being the one on the second page.
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
async fn the_day_that_is_asked_about_is_beijings() {
    for (handed_over, found) in [
        (&["2026-01-01T16:00:00Z"][..], Found::Yes), // midnight
        (&["2026-01-01T15:59:30Z"], Found::Yes),     // half a minute before: both days are asked about
        (&["2026-01-01T15:00:00Z"], Found::No),
        (&["2026-01-02T15:59:30Z"], Found::Yes),
        (&["2026-01-01T15:00:00Z", "2026-01-01T15:30:00Z", NOW], Found::Yes), // the last copy, on the next day
    ] {
        let gateway = service_with_two_pages().await;
        assert_eq!(find(&gateway.settings, handed_over).await, found, "{handed_over:?}");
    }
}

#[tokio::test]
async fn a_copy_that_arrived_outweighs_one_that_failed() {
    let (failed, arrived) = (
        json!({"OutId": "push-0001", "SendStatus": 2, "ErrCode": "USER_REJECT"}),
        json!({"OutId": "push-0001", "SendStatus": 3}),
    );
    let refused = Found::Failed(PushReport::new(PushFact::Refused, "sent, and failed: USER_REJECT"));
    for (list, found) in [(json!([failed]), refused), (json!([failed, arrived]), Found::Yes)] {
        let gateway = Loopback::start(move |_| {
            loopback::json(&json!({"Code": "OK", "TotalCount": 2, "SmsSendDetailDTOs": {"SmsSendDetailDTO": list}}))
        })
        .await;
        assert_eq!(find(&gateway.settings, &[NOW]).await, found);
    }
}

#[tokio::test]
async fn a_search_without_an_answer_finds_neither_yes_nor_no() {
    let gateway = Loopback::start(|_| Reply::HangsUp).await;
    assert_eq!(find(&gateway.settings, &[NOW]).await, Found::Unknown);
}

#[tokio::test]
async fn calls_are_acknowledged_in_the_services_form() {
    let channel = channel_at(&nobody().await);
    assert_eq!(channel.acknowledge(true).body, r#"{"code":0,"msg":"ok"}"#);
    assert_ne!(channel.acknowledge(false).status, 200);
    assert_eq!(channel.login_template(), Some("SMS_1"));
}

#[tokio::test]
async fn a_call_that_was_too_old_is_made_anew_once() {
    let gateway = Loopback::start(|_| Reply::Says(400, r#"{"Code":"InvalidTimeStamp.Expired"}"#.to_owned())).await;
    assert_eq!(send_to(&gateway.settings).await.fact, PushFact::Misconfigured);
    assert_eq!(gateway.calls().len(), 2);
}
