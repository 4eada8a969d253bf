//! A tap in WeChat's dialog is told by the mini-program and by WeChat itself. It is one consent.

use std::time::Duration;

use serde_json::json;
use songda::demo::resident::Resident;
use songda::sandbox::faults::{Fault, Often, Order};

use crate::harness::{Desk, wait_until};
use crate::kills::QUICK;

/// The template of decisions.
const TEMPLATE: &str = "songda_decision_zh_000000000000000000000001";

async fn balance(resident: &Resident) -> u64 {
    let standing = resident.caller().get("/v1/consents").success().await.unwrap();
    let row = standing.rows().unwrap().iter().find(|row| row["template"] == TEMPLATE).unwrap();
    row["balance"].as_u64().unwrap()
}

async fn report(resident: &Resident, answer: &str) {
    let body = json!({"channel": "wechat", "results": {TEMPLATE: answer}});
    resident.caller().post("/v1/consents").json(&body).success().await.unwrap();
}

/// Plays a tap that only WeChat tells of, and waits until it was heard.
async fn tap(desk: &Desk, openid: &str, answer: &str) {
    let before = read_calls(desk).await;
    desk.outside().tap(openid, TEMPLATE, answer).await.unwrap();
    let heard = async || read_calls(desk).await > before;
    wait_until(Duration::from_secs(20), "WeChat's call is understood", heard).await;
}

async fn read_calls(desk: &Desk) -> i64 {
    let count = "select count(*) from jobs where kind = 'read_callback' and state = 'done'";
    sqlx::query_scalar(count).fetch_one(&desk.database).await.unwrap()
}

#[tokio::test]
async fn a_tap_that_both_tell_of_is_one_consent() {
    let desk = Desk::open().await;
    let (resident, openid) = desk.resident().await;
    report(&resident, "accept").await;
    tap(&desk, &openid, "accept").await;
    assert_eq!(balance(&resident).await, 1, "the client first, then WeChat");
    desk.close().await;
}

#[tokio::test]
async fn a_tap_that_wechat_tells_of_first_is_one_consent_and_a_refusal_ends_it() {
    let desk = Desk::open().await;
    let (resident, openid) = desk.resident().await;
    tap(&desk, &openid, "accept").await;
    assert_eq!(balance(&resident).await, 1, "though no client told of it");
    report(&resident, "accept").await;
    assert_eq!(balance(&resident).await, 1, "the client is late");
    report(&resident, "accept").await;
    assert_eq!(balance(&resident).await, 2, "a second tap");
    tap(&desk, &openid, "switch_off").await;
    assert_eq!(balance(&resident).await, 0);
    desk.close().await;
}

/// A resident applies, and an officer grants it; the case's number.
async fn granted(desk: &Desk, resident: &Resident) -> String {
    let address = resident.add_address().await.unwrap();
    let draft = resident.draft("JT-0045", &json!({"way": "courier", "address": address})).await.unwrap();
    let submitted = resident.submit(&draft).await.unwrap();
    let officer = desk.officer("public-security").await;
    officer.accept(&submitted.id).await.unwrap();
    officer.grant(&submitted.id, &json!({"title": "居住证"})).await.unwrap();
    submitted.number
}

fn next_send(desk: &Desk, fault: Fault) {
    let (gateway, operation) = ("wechat".to_owned(), Some("send".to_owned()));
    desk.sandbox.world().faults.order(Order { gateway, operation, fault, often: Often::Times(1), delay: None });
}

#[tokio::test]
async fn a_message_whose_consent_another_may_have_used_is_told_over_sms() {
    const PATIENCE: Duration = Duration::from_secs(20);
    let mut desk = Desk::open_with(&QUICK).await;
    desk.leave_jobs();
    let (resident, openid) = desk.resident().await;
    for _ in 0..2 {
        tap(&desk, &openid, "accept").await;
    }

    next_send(&desk, Fault::TimeoutAfterCommit);
    let first = granted(&desk, &resident).await;
    let phones = &desk.sandbox.world().phones;
    let copies = async || phones.of(&openid).iter().any(|message| message.copies == 2);
    wait_until(PATIENCE, "the first message takes both consents", copies).await;

    next_send(&desk, Fault::TimeoutBefore);
    let second = granted(&desk, &resident).await;
    let told = |number: &str| {
        let messages = phones.of(resident.applicant.phone);
        messages.iter().any(|message| message.fields.values().any(|field| field == number))
    };
    wait_until(PATIENCE, "the second is told over SMS", async || told(&second)).await;
    assert!(!told(&first), "WeChat showed the first, so nobody sent it over SMS");
    desk.close().await;
}
