//! Decisions that another system reports: what is taken, in whose hands it goes out and by when, and what is refused.

use serde_json::{Value, json};
use songda::api::documents::documents;
use songda::demo::http::{Caller, Reply};
use songda::demo::{fresh_key, fresh_phone};

use crate::support::acts::{faults, refused};
use crate::support::desk::{Desk, wait_until};
use crate::support::office::{KnownOffice, result};

/// A system that may report, and its way to the API.
struct Office {
    known: KnownOffice,
    api: Caller,
}

impl Office {
    async fn of(desk: &Desk) -> Self {
        let known = KnownOffice::new(desk).await;
        let api = desk.api.with_token(known.token(desk).await);
        Self { known, api }
    }

    fn path(&self) -> String {
        format!("/integration/v1/results/{}/{}", self.known.source, fresh_key())
    }

    async fn report(&self, decision: &Value) -> Reply {
        self.api.put(&self.path()).once(&fresh_key()).json(decision).answer().await.unwrap()
    }
}

/// A grant that goes out by courier, with some members changed.
fn grant(changes: &[(&str, Value)]) -> Value {
    let mut decision = result(&fresh_phone());
    decision.as_object_mut().unwrap().remove("ref");
    for (member, value) in changes {
        decision[*member] = value.clone();
    }
    decision
}

#[tokio::test]
async fn the_item_decides_who_carries_and_the_decision_by_when() {
    // The order of an installation's carriers says nothing.
    let desk = Desk::open_with(&[("SONGDA_CARRIERS", "ems,sf")]).await;
    let office = Office::of(&desk).await;
    // Ten working days from here: 2026-03-20, and for the other 2026-10-20, over a long holiday.
    let by_post = grant(&[("decided_at", json!("2026-03-06T15:30:00Z"))]);
    let by_sf = grant(&[("item_code", json!("JT-0067")), ("decided_at", json!("2026-09-30T09:00:00+08:00"))]);
    for decision in [by_post, by_sf] {
        assert_eq!(office.report(&decision).await.status.as_u16(), 201);
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
async fn a_decision_from_before_all_known_calendars_is_taken_and_sent() {
    let desk = Desk::open().await;
    let office = Office::of(&desk).await;
    let reply = office.report(&grant(&[("decided_at", json!("2024-11-29T09:00:00+08:00"))])).await;
    assert_eq!(reply.status.as_u16(), 201, "{}", reply.body);
    let serve_by: Option<String> =
        sqlx::query_scalar("select serve_by::text from parcels").fetch_one(&desk.database).await.unwrap();
    assert_eq!(serve_by, None, "nobody knows its working days");
    desk.close().await;
}

#[tokio::test]
async fn all_that_is_wrong_with_a_decision_is_told_at_once() {
    let desk = Desk::open().await;
    let office = Office::of(&desk).await;
    let nowhere = json!({"way": "counter", "hall": "nowhere"});
    let wrong = grant(&[("decided_at", json!("2999-01-01T00:00:00Z")), ("delivery", nowhere)]);
    let reply = office.report(&wrong).await;
    refused(&reply, 422, "invalid_body");
    assert_eq!(faults(&reply), [("/decided_at", "in_the_future"), ("/delivery/hall", "unknown_hall")]);

    // Its result is fetched at a window, and in no other way.
    let at_a_window = [("item_code", json!("JT-0113")), ("delivery", json!({"way": "electronic"}))];
    let reply = office.report(&grant(&at_a_window)).await;
    refused(&reply, 422, "delivery_not_offered");
    assert_eq!(faults(&reply), [("/delivery/way", "not_offered")]);
    desk.close().await;
}

#[tokio::test]
async fn the_documented_example_is_taken() {
    let desk = Desk::open().await;
    let office = Office::of(&desk).await;
    let document = documents().unwrap().into_iter().find(|document| document.about.file == "integration").unwrap();
    let operation = &document.value["paths"]["/integration/v1/results/{source}/{reference}"]["put"];
    let example = &operation["requestBody"]["content"]["application/json"]["example"];
    let reply = office.report(example).await;
    assert_eq!(reply.status.as_u16(), 201, "{}", reply.body);
    let shown = &operation["responses"]["201"]["content"]["application/json"]["example"]["number"];
    assert_eq!(shown.as_str().unwrap().len(), reply.text("/number").unwrap().len(), "a number as they are: {shown}");
    desk.close().await;
}

#[tokio::test]
async fn whoever_is_shut_out_reports_nothing_though_the_token_is_still_good() {
    let desk = Desk::open().await;
    let office = Office::of(&desk).await;
    assert_eq!(office.report(&grant(&[])).await.status.as_u16(), 201);
    desk.songda(&["clients", "revoke", &office.known.source]).await;
    // A process may know a client for a second from having looked.
    let read = office.path();
    let is_shut_out = async || office.api.get(&read).answer().await.unwrap().status.as_u16() == 401;
    wait_until("the token is refused", is_shut_out).await;
    let before: i64 = sqlx::query_scalar("select count(*) from cases").fetch_one(&desk.database).await.unwrap();
    refused(&office.report(&grant(&[])).await, 401, "invalid_token");
    let batch = office.api.post("/integration/v1/result-batches").once(&fresh_key());
    let reply = batch.json(&json!({"results": [result(&fresh_phone())]})).answer().await.unwrap();
    refused(&reply, 401, "invalid_token");
    let after: i64 = sqlx::query_scalar("select count(*) from cases").fetch_one(&desk.database).await.unwrap();
    assert_eq!(after, before);
    desk.close().await;
}
