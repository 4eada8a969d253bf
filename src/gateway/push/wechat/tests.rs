//! Tests of the channel against a fake gateway on the loopback address.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use super::*;
use crate::domain::kernel::text::Language;
use crate::domain::notice::notification::Consent;
use crate::gateway::shared::http::HttpSettings;
use crate::gateway::shared::loopback::{self, Loopback, LoopbackReply, ReceivedCall, unreachable};
use crate::gateway::shared::wechat::MiniProgram;

const SEND: &str = "/cgi-bin/message/subscribe/send";
const TOKEN: &str = "/cgi-bin/stable_token";

fn channel_at(at: &HttpSettings) -> Wechat {
    let account = MiniProgram::sample(at);
    let pace = Pace { per_second: 1, slots: 1 };
    let settings = WechatSettings { account, pace, state: MiniprogramState::Trial, callbacks: None, access: None };
    Wechat::new(settings, Clock::frozen("2026-01-02T04:00:00Z".parse().unwrap()))
}

fn message() -> PushMessage {
    PushMessage {
        key: "ntf_1".to_owned(),
        template: "tplAAA".to_owned(),
        fields: BTreeMap::from([("thing1".to_owned(), "一二三四五六七八九十一二三四五六七八九十一".to_owned())]),
        page: Some("pages/case?id=case_1".to_owned()),
        fallbacks: BTreeMap::new(),
        language: Language::English,
        consent: Consent::OneTime,
    }
}

fn openid() -> Private<String> {
    Private::new("oAAAA-BBBB".to_owned())
}

/// Starts a gateway that issues the tokens `token-1`, `token-2` …, and answers each message with the function `send`.
async fn gateway(send: impl Fn(&ReceivedCall) -> LoopbackReply + Send + Sync + 'static) -> Loopback {
    let served = AtomicU64::new(0);
    Loopback::start(move |call| match call.path.as_str() {
        TOKEN => {
            let number = served.fetch_add(1, Ordering::SeqCst) + 1;
            loopback::json(&json!({"access_token": format!("token-{number}"), "expires_in": 7200}))
        }
        _ => send(call),
    })
    .await
}

fn reply(code: i64) -> LoopbackReply {
    loopback::json(&json!({"errcode": code, "errmsg": "words", "msgid": 1_988_810_812_324_364_291_u64}))
}

async fn send_to(gateway: &Loopback) -> PushReport {
    channel_at(&gateway.settings).send(&openid(), &message()).await
}

#[tokio::test]
async fn a_message_has_wechats_form() {
    let gateway = gateway(|_| reply(0)).await;
    let report = send_to(&gateway).await;
    assert_eq!(report.fact, PushFact::Delivered { reference: Some("1988810812324364291".to_owned()) });
    let sent = gateway.calls().pop().unwrap();
    assert_eq!(sent.query["access_token"], "token-1");
    let expected = json!({
        "touser": "oAAAA-BBBB", "template_id": "tplAAA", "page": "pages/case?id=case_1",
        "miniprogram_state": "trial", "lang": "en_US",
        "data": {"thing1": {"value": "一二三四五六七八九十一二三四五六七八九…"}},
    });
    assert_eq!(sent.json(), expected);
}

#[tokio::test]
async fn two_simultaneous_sends_fetch_one_token() {
    let gateway = gateway(|_| reply(0)).await;
    let channel = channel_at(&gateway.settings);
    let to = openid();
    let message = message();
    let (a, b) = tokio::join!(channel.send(&to, &message), channel.send(&to, &message));
    assert!(matches!((a.fact, b.fact), (PushFact::Delivered { .. }, PushFact::Delivered { .. })));
    assert_eq!((gateway.count(TOKEN), gateway.count(SEND)), (1, 2));
}

#[tokio::test]
async fn a_rejected_token_is_replaced_and_the_message_sent_again() {
    for code in [40001, 40014, 42001] {
        let gateway = gateway(move |call| reply(if call.query["access_token"] == "token-1" { code } else { 0 })).await;
        assert!(matches!(send_to(&gateway).await.fact, PushFact::Delivered { .. }), "{code}");
        assert_eq!((gateway.count(TOKEN), gateway.count(SEND)), (2, 2));
    }
}

#[tokio::test]
async fn a_rejected_fresh_token_is_misconfigured() {
    let gateway = gateway(|_| reply(42001)).await;
    assert_eq!(send_to(&gateway).await.fact, PushFact::Misconfigured);
    assert_eq!((gateway.count(TOKEN), gateway.count(SEND)), (2, 2));
}

#[tokio::test]
async fn a_rejected_token_that_wechat_still_gives_out_is_throttled_and_never_forced() {
    let gateway = Loopback::start(|call| match call.path.as_str() {
        TOKEN => loopback::json(&json!({"access_token": "token-1", "expires_in": 7200})),
        _ => reply(40001),
    })
    .await;
    assert_eq!(send_to(&gateway).await.fact, PushFact::Throttled { after: Some(TOKEN_SETTLES_IN) });
    assert_eq!((gateway.count(TOKEN), gateway.count(SEND)), (2, 1));
    assert!(gateway.calls().iter().filter(|call| call.path == TOKEN).all(|c| c.json()["force_refresh"] == false));
}

#[tokio::test]
async fn an_unreadable_answer_counts_by_its_status() {
    for (status, body, fact) in [
        (200, "<html>", PushFact::Ambiguous),
        (200, "{}", PushFact::Ambiguous),
        (500, "<html>", PushFact::Ambiguous),
        (502, "", PushFact::Ambiguous),
        (404, "<html>", PushFact::Unavailable),
        (429, "", PushFact::Throttled { after: None }),
        (500, r#"{"errcode":43101}"#, PushFact::Refused),
    ] {
        let gateway = gateway(move |_| LoopbackReply::Says(status, body.to_owned())).await;
        assert_eq!(send_to(&gateway).await.fact, fact, "{status} {body}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_is_ambiguous_and_a_refused_one_is_not() {
    let gateway = gateway(|_| LoopbackReply::HangsUp).await;
    let report = send_to(&gateway).await;
    assert_eq!(report.fact, PushFact::Ambiguous);
    assert!(!report.detail.contains("token-1") && !report.detail.contains("oAAAA"), "{}", report.detail);

    let unreachable = unreachable().await;
    assert_eq!(channel_at(&unreachable).send(&openid(), &message()).await.fact, PushFact::Unavailable);
}

#[tokio::test]
async fn a_send_ends_in_time_and_reports_how_far_it_came() {
    for (silent, fact) in [(TOKEN, PushFact::Unavailable), (SEND, PushFact::Ambiguous)] {
        let gateway = Loopback::start(move |call| match call.path.as_str() {
            path if path == silent => LoopbackReply::Silent,
            _ => loopback::json(&json!({"access_token": "token-1", "expires_in": 7200})),
        })
        .await;
        let settings = HttpSettings { timeout: Duration::from_millis(300), ..gateway.settings.clone() };
        assert_eq!(channel_at(&settings).send(&openid(), &message()).await.fact, fact, "{silent}");
    }
}

#[tokio::test]
async fn the_refused_part_of_a_message_is_named() {
    use crate::domain::notice::notification::Objection;
    for (code, errmsg, objection) in [
        (41030, "invalid page", Objection::Page),
        (47003, "argument invalid! data.thing1.value invalid", Objection::Field("thing1".to_owned())),
    ] {
        let gateway = gateway(move |_| loopback::json(&json!({"errcode": code, "errmsg": errmsg}))).await;
        let report = send_to(&gateway).await;
        assert_eq!((report.fact, report.objection), (PushFact::Misconfigured, Some(objection)));
        assert_eq!(gateway.count(SEND), 1, "the worker decides what to do about it");
    }
}

#[tokio::test]
async fn the_templates_are_listed_or_the_refusal_is_reported() {
    let listed = json!({"errcode": 0, "data": [{"priTmplId": "A", "content": "结果:{{thing1.DATA}}", "type": 2}]});
    let stale = move |call: &ReceivedCall| call.query["access_token"] == "token-1";
    let gateway = gateway(move |call| if stale(call) { reply(42001) } else { loopback::json(&listed) }).await;
    let known = channel_at(&gateway.settings).templates().await.unwrap().unwrap();
    assert_eq!(known[0].id, "A");

    let rationed = self::gateway(|_| reply(45009)).await;
    let report = channel_at(&rationed.settings).templates().await.unwrap().unwrap_err();
    assert!(matches!(report.fact, PushFact::Throttled { .. }), "{report:?}");
}
