//! Officers whose account is closed, whose sign-in ends, or who get another role: what they held in hand opens nothing any
//! more, long before their access token runs out.

use songda::demo::http::Caller;
use sqlx::AssertSqlSafe;

use crate::support::desk::{Desk, PASSWORD, wait_until};

const QUEUE: &str = "/staff/v1/cases";
const LANES: &str = "/ops/v1/lanes";

async fn sign_in(desk: &Desk, username: &str) -> Caller {
    let credentials = serde_json::json!({"username": username, "password": PASSWORD});
    let session = desk.api.post("/staff/v1/sessions").json(&credentials).success().await.unwrap();
    desk.api.with_token(session.text("/access_token").unwrap())
}

async fn add(desk: &Desk, username: &str, role: &str) -> Caller {
    let add = ["staff", "add", username, "--name", "测试", "--agency", "public-security", "--role", role];
    desk.songda(&add).await;
    sign_in(desk, username).await
}

async fn status(caller: &Caller, path: &str) -> u16 {
    caller.get(path).answer().await.unwrap().status.as_u16()
}

async fn comes_to(caller: &Caller, path: &str, wanted: u16) {
    wait_until(&format!("{path} answers {wanted}"), async || status(caller, path).await == wanted).await;
}

#[tokio::test]
async fn a_closed_account_opens_nothing() {
    let desk = Desk::open().await;
    let (officer, operator) = (add(&desk, "li.na", "officer").await, add(&desk, "ops", "operator").await);
    assert_eq!((status(&officer, QUEUE).await, status(&operator, LANES).await), (200, 200));
    for username in ["li.na", "ops"] {
        desk.songda(&["staff", "disable", username]).await;
    }
    comes_to(&officer, QUEUE, 401).await;
    comes_to(&operator, LANES, 401).await;
    desk.close().await;
}

#[tokio::test]
async fn an_ended_sign_in_opens_nothing_and_another_one_goes_on() {
    let desk = Desk::open().await;
    let (here, there) = (add(&desk, "li.na", "officer").await, sign_in(&desk, "li.na").await);
    here.delete("/staff/v1/sessions/current").success().await.unwrap();
    comes_to(&here, QUEUE, 401).await;
    assert_eq!(status(&there, QUEUE).await, 200);
    desk.close().await;
}

#[tokio::test]
async fn another_role_or_agency_counts_at_once() {
    let desk = Desk::open().await;
    let officer = add(&desk, "li.na", "officer").await;
    assert_eq!((status(&officer, QUEUE).await, status(&officer, LANES).await), (200, 403));
    change(&desk, "role = 'operator'").await;
    comes_to(&officer, LANES, 200).await;
    assert_eq!(status(&officer, QUEUE).await, 403, "operators see no cases");

    let (resident, _) = desk.resident().await;
    let draft = resident.draft("JT-0045", &serde_json::json!({"way": "electronic"})).await.unwrap();
    let case = format!("{QUEUE}/{}", resident.submit(&draft).await.unwrap().id);
    change(&desk, "role = 'officer'").await;
    comes_to(&officer, &case, 200).await;
    change(&desk, "agency = 'human-resources'").await;
    comes_to(&officer, &case, 404).await;
    desk.close().await;
}

async fn change(desk: &Desk, what: &str) {
    let sql = format!("update officers set {what} where username = 'li.na'");
    sqlx::query(AssertSqlSafe(sql)).execute(&desk.database).await.unwrap();
}
