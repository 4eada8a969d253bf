//! Consents to WeChat messages: how many are left, the client's report, and the resident's tap in WeChat's dialog.

use serde_json::json;
use songda::demo::resident::Resident;

use super::desk::Desk;
use super::people::Person;
use super::wait::wait_until;

/// The WeChat template of decisions in Chinese.
pub const TEMPLATE: &str = "songda_decision_zh_000000000000000000000001";

/// Returns how many messages of [`TEMPLATE`] the resident still allows.
pub async fn balance(resident: &Resident) -> u64 {
    let standing = resident.caller().get("/v1/consents").success().await.unwrap();
    let row = standing.rows().unwrap().iter().find(|row| row["template"] == TEMPLATE).unwrap();
    row["balance"].as_u64().unwrap()
}

/// The client reports the resident's answer.
pub async fn report(resident: &Resident, answer: &str) {
    let body = json!({"channel": "wechat", "results": {TEMPLATE: answer}});
    resident.caller().post("/v1/consents").json(&body).success().await.unwrap();
}

/// The resident taps in WeChat's dialog, the client reports nothing, and WeChat's callback is processed.
pub async fn tap(desk: &Desk, openid: &str, answer: &str) {
    let before = processed(desk).await;
    desk.outside().tap(openid, &[TEMPLATE], answer).await.unwrap();
    wait_until("WeChat's callback is processed", async || processed(desk).await > before).await;
}

/// Creates a new resident who consented to one WeChat message.
pub async fn consenting_resident(desk: &Desk) -> Person {
    let resident = desk.resident().await;
    tap(desk, resident.openid(), "accept").await;
    resident
}

/// Returns how many callbacks of WeChat are processed. Receipts for the SMS with the sign-in code come at any time and
/// do not count.
async fn processed(desk: &Desk) -> i64 {
    desk.count("select count(*) from callbacks where origin = 'wechat' and outcome is not null").await
}
