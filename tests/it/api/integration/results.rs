//! Reporting one result: what is accepted, how it is delivered and by when, and what is refused.

use serde_json::{Value, json};
use songda::api::documents::documents;
use songda::demo::http::Reply;
use songda::demo::{fresh_key, fresh_phone};

use crate::support::answers::{assert_problem, faults};
use crate::support::desk::Desk;
use crate::support::office::{Office, result, result_with};
use crate::support::wait::wait_until;

/// Reports a result under a fresh key.
async fn report(office: &Office, result: &Value) -> Reply {
    office.put(&fresh_key(), result).await
}

#[tokio::test]
async fn the_item_decides_the_carrier_and_the_decision_date_the_deadline() {
    // The order of the carriers in the settings does not matter.
    let desk = Desk::builder().settings(&[("SONGDA_CARRIERS", "ems,sf")]).open().await;
    let office = Office::register(&desk).await;
    // The deadlines are ten working days after the decisions: 2026-03-20, and, across a long holiday, 2026-10-20.
    let by_post = result_with("/decided_at", json!("2026-03-06T15:30:00Z"));
    let mut by_sf = result_with("/decided_at", json!("2026-09-30T09:00:00+08:00"));
    by_sf["item_code"] = json!("JT-0067");
    for decision in [by_post, by_sf] {
        assert_eq!(report(&office, &decision).await.status.as_u16(), 201);
    }
    let parcels: Vec<(String, String)> =
        sqlx::query_as("select carrier, serve_by::text from parcels order by serve_by")
            .fetch_all(&desk.database)
            .await
            .unwrap();
    let parcel = |carrier: &str, serve_by: &str| (carrier.to_owned(), serve_by.to_owned());
    assert_eq!(parcels, [parcel("ems", "2026-03-20"), parcel("sf", "2026-10-20")]);
    desk.close().await;
}

#[tokio::test]
async fn a_decision_older_than_all_calendars_is_accepted_and_sent_without_a_deadline() {
    let desk = Desk::open().await;
    let office = Office::register(&desk).await;
    let reply = report(&office, &result_with("/decided_at", json!("2024-11-29T09:00:00+08:00"))).await;
    assert_eq!(reply.status.as_u16(), 201, "{}", reply.body);
    let serve_by: Option<String> = desk.scalar("select serve_by::text from parcels").await;
    assert_eq!(serve_by, None, "its working days are unknown");
    desk.close().await;
}

#[tokio::test]
async fn a_result_is_refused_with_every_fault_at_once() {
    let desk = Desk::open().await;
    let office = Office::register(&desk).await;
    let mut wrong = result_with("/decided_at", json!("2999-01-01T00:00:00Z"));
    wrong["delivery"] = json!({"way": "counter", "hall": "nowhere"});
    let reply = report(&office, &wrong).await;
    assert_problem(&reply, 422, "invalid_body");
    assert_eq!(faults(&reply), [("/decided_at", "in_the_future"), ("/delivery/hall", "unknown_hall")]);

    // The result of this item can only be picked up at a window.
    let mut at_a_window = result_with("/item_code", json!("JT-0113"));
    at_a_window["delivery"] = json!({"way": "electronic"});
    let reply = report(&office, &at_a_window).await;
    assert_problem(&reply, 422, "delivery_not_offered");
    assert_eq!(faults(&reply), [("/delivery/way", "not_offered")]);
    desk.close().await;
}

#[tokio::test]
async fn the_documented_example_is_accepted() {
    let desk = Desk::open().await;
    let office = Office::register(&desk).await;
    let document = documents().unwrap().into_iter().find(|document| document.about.file == "integration").unwrap();
    let operation = &document.value["paths"]["/integration/v1/results/{source}/{reference}"]["put"];
    let mut example = operation["requestBody"]["content"]["application/json"]["example"].clone();
    example["ref"] = json!(fresh_key());
    let reply = report(&office, &example).await;
    assert_eq!(reply.status.as_u16(), 201, "{}", reply.body);
    let shown = &operation["responses"]["201"]["content"]["application/json"]["example"]["number"];
    assert_eq!(shown.as_str().unwrap().len(), reply.text("/number").unwrap().len(), "a realistic number: {shown}");
    desk.close().await;
}

#[tokio::test]
async fn a_revoked_client_reports_nothing_though_its_token_has_not_expired() {
    let desk = Desk::open().await;
    let office = Office::register(&desk).await;
    assert_eq!(report(&office, &result(&fresh_phone())).await.status.as_u16(), 201);
    desk.songda(&["clients", "revoke", &office.source]).await;
    // A process remembers for up to a second that a client is valid.
    let read = office.path(&fresh_key());
    let is_refused = async || office.api.get(&read).answer().await.unwrap().status.as_u16() == 401;
    wait_until("the token is refused", is_refused).await;
    let before = desk.count("select count(*) from cases").await;
    assert_problem(&report(&office, &result(&fresh_phone())).await, 401, "invalid_token");
    let reply = office.post(&fresh_key(), &[result(&fresh_phone())]).await;
    assert_problem(&reply, 401, "invalid_token");
    assert_eq!(desk.count("select count(*) from cases").await, before);
    desk.close().await;
}
