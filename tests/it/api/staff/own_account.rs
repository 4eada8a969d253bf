//! What officers do with their own account, and what strangers cannot do to it.

use serde_json::json;
use songda::demo::http::{Caller, Reply};

use crate::support::answers::{assert_problem, faults};
use crate::support::desk::Desk;
use crate::support::items::AGENCY;
use crate::support::people::{PASSWORD, add_staff};
use crate::support::wait::wait_until;

const CASES: &str = "/staff/v1/cases";
const OTHER: &str = "three white cats on the roof";

/// Tries to sign in. The request comes from `address`, as our proxy reports it.
async fn sign_in(api: &Caller, address: &str, username: &str, password: &str) -> Reply {
    let credentials = json!({"username": username, "password": password});
    let call = api.post("/staff/v1/sessions").header("x-forwarded-for", address);
    call.header("user-agent", "desk/1.0").json(&credentials).answer().await.unwrap()
}

async fn signed_in(desk: &Desk, username: &str, password: &str) -> Caller {
    let reply = sign_in(&desk.api, "192.0.2.1", username, password).await;
    desk.api.with_token(reply.text("/access_token").unwrap())
}

async fn status(caller: &Caller, path: &str) -> u16 {
    caller.get(path).answer().await.unwrap().status.as_u16()
}

#[tokio::test]
async fn strangers_who_guess_keep_no_officer_out() {
    let desk = Desk::builder().without_worker().settings(&[("SONGDA_PROXIES", "1")]).open().await;
    let officer = format!("officer.{AGENCY}");
    for _ in 0..5 {
        assert_problem(&sign_in(&desk.api, "198.51.100.7", &officer, "a wrong guess").await, 401, "sign_in_failed");
    }
    let delayed = sign_in(&desk.api, "198.51.100.7", &officer, PASSWORD).await;
    assert_problem(&delayed, 429, "too_many_sign_ins");
    assert!(delayed.header("retry-after").parse::<u64>().unwrap() <= 30);
    assert_eq!(sign_in(&desk.api, "192.0.2.1", &officer, PASSWORD).await.status.as_u16(), 201);
    desk.close().await;
}

#[tokio::test]
async fn an_officer_changes_the_password_and_other_sessions_end() {
    let desk = Desk::builder().without_worker().open().await;
    desk.songda(&add_staff("li.na", AGENCY, "officer")).await;
    let here = signed_in(&desk, "li.na", PASSWORD).await;
    let there = signed_in(&desk, "li.na", PASSWORD).await;
    let change = async |current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        here.put("/staff/v1/me/password").json(&body).answer().await.unwrap()
    };
    assert_problem(&change("wrong", OTHER).await, 403, "password_wrong");
    for (weak, code) in [("short", "length"), ("Password123!", "common"), (PASSWORD, "unchanged")] {
        let refused = change(PASSWORD, weak).await;
        assert_problem(&refused, 422, "invalid_body");
        assert_eq!(faults(&refused), [("/new_password", code)], "{weak}");
    }
    assert_eq!(change(PASSWORD, OTHER).await.status.as_u16(), 204);
    wait_until("the other session ends", async || status(&there, CASES).await == 401).await;
    assert_eq!(status(&here, CASES).await, 200);
    assert_problem(&sign_in(&desk.api, "192.0.2.1", "li.na", PASSWORD).await, 401, "sign_in_failed");
    assert_eq!(sign_in(&desk.api, "192.0.2.1", "li.na", OTHER).await.status.as_u16(), 201);
    desk.close().await;
}

#[tokio::test]
async fn a_new_officer_does_nothing_before_choosing_a_password() {
    let desk = Desk::builder().without_worker().open().await;
    desk.songda(&[&add_staff("li.na", AGENCY, "officer")[..], &["--must-change-password"]].concat()).await;
    let officer = signed_in(&desk, "li.na", PASSWORD).await;
    let me = officer.get("/staff/v1/me").success().await.unwrap();
    assert_eq!(me.body["next_step"], "change_password");
    assert_problem(&officer.get(CASES).answer().await.unwrap(), 403, "password_change_required");
    assert_problem(&officer.get("/ops/v1/lanes").answer().await.unwrap(), 403, "password_change_required");
    let body = json!({"current_password": PASSWORD, "new_password": OTHER});
    officer.put("/staff/v1/me/password").json(&body).success().await.unwrap();
    assert_eq!(status(&officer, CASES).await, 200, "at once, with the same token");
    desk.close().await;
}

#[tokio::test]
async fn an_officer_sees_the_own_sign_ins_and_ends_them() {
    let desk = Desk::builder().without_worker().settings(&[("SONGDA_PROXIES", "1")]).open().await;
    desk.songda(&add_staff("li.na", AGENCY, "officer")).await;
    desk.songda(&add_staff("other", AGENCY, "officer")).await;
    let here = signed_in(&desk, "li.na", PASSWORD).await;
    let there = signed_in(&desk, "li.na", PASSWORD).await;
    let third = signed_in(&desk, "li.na", PASSWORD).await;
    let stranger = signed_in(&desk, "other", PASSWORD).await;
    let list = here.get("/staff/v1/me/sessions").success().await.unwrap();
    let rows = list.body["data"].as_array().unwrap().clone();
    assert_eq!(rows.len(), 3);
    let shown: Vec<_> = rows.iter().map(|row| (&row["network"], &row["client"], &row["current"])).collect();
    let (network, client) = (json!("192.0.2.1/32"), json!("desk/1.0"));
    assert_eq!(shown[0], (&network, &client, &json!(false)));
    assert_eq!(rows[2]["current"], true, "latest first");

    let path = format!("/staff/v1/me/sessions/{}", rows[1]["id"].as_str().unwrap());
    assert_problem(&stranger.delete(&path).answer().await.unwrap(), 404, "not_found");
    here.delete(&path).success().await.unwrap();
    wait_until("the session ends", async || status(&there, CASES).await == 401).await;
    assert_eq!(status(&third, CASES).await, 200);
    here.delete("/staff/v1/me/sessions/others").success().await.unwrap();
    wait_until("the others end", async || status(&third, CASES).await == 401).await;
    assert_eq!((status(&here, CASES).await, status(&stranger, CASES).await), (200, 200));
    desk.close().await;
}
