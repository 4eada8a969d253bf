//! What the log of a serving process says of requests, and what it must never say.

use serde_json::Value;
use songda::domain::kernel::clock::Clock;

use super::token;
use crate::support::desk::{Desk, wait_until};

/// The lines about requests: method, route, status, caller.
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
async fn each_request_leaves_a_line_and_nothing_personal_in_it() {
    let (desk, app) = Desk::open_api(&[("SONGDA_LOG", "trace")]).await;
    let server = desk.server(None).await;
    let api = &server.api;

    let (phone, name) = ("13912345678", "%E7%8E%8B%E5%B0%8F%E6%98%8E");
    let person = token(app.tokens(), "person", Clock::system().now());
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
    wait_until("every request left a line", async || answered(&server.log()).len() == 4).await;
    assert_eq!(answered(&server.log()), expected);
    for personal in [phone, name, "王小明", person.as_str()] {
        let leak = server.log().lines().find(|line| line.contains(personal)).map(str::to_owned);
        assert_eq!(leak, None, "{personal} is in the log");
    }
    desk.close().await;
}
