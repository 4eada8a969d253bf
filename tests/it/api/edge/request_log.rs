//! The log lines of requests, and what they must never contain.

use serde_json::Value;
use songda::domain::kernel::clock::Clock;

use crate::support::desk::Desk;
use crate::support::edge::token;
use crate::support::wait::wait_until;

/// Returns the log lines of requests: method, route, status, kind of caller.
fn answered(log: &str) -> Vec<(String, String, u64, String)> {
    let word = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
    log.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["message"] == "answered")
        .inspect(|line| assert!(line["micros"].is_u64() && line["request_id"].is_string(), "{line}"))
        .map(|line| {
            let status = line["status"].as_u64().unwrap();
            (word(&line, "method"), word(&line, "route"), status, word(&line, "caller"))
        })
        .collect()
}

#[tokio::test]
async fn each_request_is_logged_without_personal_data() {
    let desk = Desk::builder().settings(&[("SONGDA_LOG", "trace")]).without_worker().open().await;
    let server = desk.server().await;
    let api = &server.api;

    let phone = "13912345678";
    let name = "%E7%8E%8B%E5%B0%8F%E6%98%8E";
    let person = token(desk.app.tokens(), "person", Clock::system().now());
    let known = api.with_token(&person);
    known.get("/v1/items").query(&[("q", phone)]).answer().await.unwrap();
    api.get("/v1/items").query(&[("limit", phone), ("q", "王小明")]).answer().await.unwrap();
    api.with_token(phone).get(&format!("/v1/cases/{name}?to={phone}")).answer().await.unwrap();
    api.post(&format!("/nowhere/{phone}/{name}")).json(&phone.into()).answer().await.unwrap();

    let line = |method: &str, route: &str, status, caller: &str| {
        (method.to_owned(), route.to_owned(), status, caller.to_owned())
    };
    let expected = [
        line("GET", "/v1/items", 200, "person"),
        line("GET", "/v1/items", 400, "nobody"),
        line("GET", "/v1/cases/{id}", 401, "refused"),
        line("POST", "unknown", 404, "nobody"),
    ];
    wait_until("every request is logged", async || answered(&server.log()).len() == 4).await;
    assert_eq!(answered(&server.log()), expected);
    for personal in [phone, name, "王小明", person.as_str()] {
        let leak = server.log().lines().find(|line| line.contains(personal)).map(str::to_owned);
        assert_eq!(leak, None, "{personal} is in the log");
    }
    desk.close().await;
}
