//! A tap in WeChat's dialog is told by the mini-program and by WeChat itself. It is one consent.

use serde_json::json;
use songda::demo::resident::Resident;

use crate::support::desk::{Desk, wait_until};

/// The template of decisions.
const TEMPLATE: &str = "songda_decision_zh_000000000000000000000001";

/// How many messages of that template the ledger has left.
pub async fn balance(resident: &Resident) -> u64 {
    let standing = resident.caller().get("/v1/consents").success().await.unwrap();
    let row = standing.rows().unwrap().iter().find(|row| row["template"] == TEMPLATE).unwrap();
    row["balance"].as_u64().unwrap()
}

/// The client tells of an answer.
pub async fn report(resident: &Resident, answer: &str) {
    let body = json!({"channel": "wechat", "results": {TEMPLATE: answer}});
    resident.caller().post("/v1/consents").json(&body).success().await.unwrap();
}

/// Plays a tap that only WeChat tells of, and waits until it was heard.
pub async fn tap(desk: &Desk, openid: &str, answer: &str) {
    let before = understood(desk).await;
    desk.outside().tap(openid, &[TEMPLATE], answer).await.unwrap();
    let heard = async || understood(desk).await > before;
    wait_until("WeChat's call is understood", heard).await;
}

/// How many calls of WeChat were understood. Receipts of the SMS with the sign-in code may come at any time.
async fn understood(desk: &Desk) -> i64 {
    let count = "select count(*) from callbacks where origin = 'wechat' and outcome is not null";
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
