//! Reporting a result again: the same request gets its first answer, the same result is recognised, and anything else
//! under a used reference or key is refused.

use futures_util::future::join_all;
use serde_json::{Value, json};
use songda::demo::http::Reply;
use songda::demo::{fresh_key, fresh_phone};

use crate::support::answers::replayed;
use crate::support::desk::Desk;
use crate::support::office::{Office, result};

/// Replaces the value at a JSON pointer in a result.
fn with(result: &Value, pointer: &str, value: Value) -> Value {
    let mut changed = result.clone();
    *changed.pointer_mut(pointer).unwrap() = value;
    changed
}

/// Returns the status, the problem code and `Idempotent-Replayed` of an answer.
fn outcome(reply: &Reply) -> (u16, &str, &str) {
    let code = reply.body["code"].as_str().unwrap_or_default();
    (reply.status.as_u16(), code, replayed(reply))
}

#[tokio::test]
async fn a_repeated_result_is_recognised_and_a_different_one_under_its_reference_is_refused() {
    let desk = Desk::open().await;
    let office = Office::register(&desk).await;
    let body = result(&fresh_phone());
    let key = fresh_key();
    let first = office.put(&key, &body).await;
    assert_eq!(outcome(&first), (201, "", ""), "{}", first.body);
    let again = office.put(&key, &body).await;
    assert_eq!(outcome(&again), (201, "", "true"));
    assert_eq!((&again.body, again.etag()), (&first.body, first.etag()));
    assert_eq!(outcome(&office.put(&fresh_key(), &body).await), (200, "", ""), "it is recognised under any key");

    // Two differences that do not count: the same instant written differently, and the applicant's name, which is not
    // stored.
    let same_instant = with(&body, "/decided_at", json!("2026-11-20T01:00:00Z"));
    assert_eq!(outcome(&office.put(&fresh_key(), &same_instant).await), (200, "", ""));
    let other_name = with(&body, "/applicant/name", json!("王小敏"));
    assert_eq!(outcome(&office.put(&key, &other_name).await), (201, "", "true"));

    // A changed result has no effect, so the answer must not look as if it had one.
    let mut with_an_id = body.clone();
    with_an_id["applicant"]["resident_id"] = json!("320422198506150024");
    for (what, changed) in [
        ("another applicant", with(&body, "/applicant/phone", json!(fresh_phone()))),
        ("an applicant with a resident ID", with_an_id),
        ("a corrected address", with(&body, "/delivery/recipient/detail", json!("西城街道清风路2号"))),
        ("another recipient", with(&body, "/delivery/recipient/name", json!("王大明"))),
        ("another way of delivery", with(&body, "/delivery", json!({"way": "electronic"}))),
        ("other reasons", with(&body, "/reasons", json!("另有说明"))),
        ("another number", with(&body, "/result/number", json!("IT-0002"))),
        ("another time", with(&body, "/decided_at", json!("2026-11-20T01:00:01Z"))),
    ] {
        let conflict = office.put(&fresh_key(), &changed).await;
        assert_eq!(outcome(&conflict), (409, "result_conflict", ""), "{what}: {}", conflict.body);
        assert_eq!(outcome(&office.put(&key, &changed).await), (422, "idempotency_key_reused", ""), "{what}");
    }
    let path = office.path(body["ref"].as_str().unwrap());
    let mut unnamed = body.clone();
    unnamed.as_object_mut().unwrap().remove("ref");
    let keyless = office.api.put(&path).json(&unnamed).answer().await.unwrap();
    assert_eq!(outcome(&keyless), (400, "idempotency_key_missing", ""));
    desk.close().await;
}

#[tokio::test]
async fn concurrent_requests_with_one_key_are_processed_once() {
    let desk = Desk::open().await;
    let office = Office::register(&desk).await;
    let body = result(&fresh_phone());
    let key = fresh_key();
    let replies = join_all((0..12).map(|_| office.put(&key, &body))).await;
    let mut first = 0;
    for reply in &replies {
        match outcome(reply) {
            (201, _, "") => first += 1,
            (201, _, "true") => {}
            (409, "request_in_progress", "") => assert_eq!(reply.header("retry-after"), "1"),
            other => panic!("{other:?}: {}", reply.body),
        }
    }
    assert_eq!(first, 1, "one of them is the first");
    assert_eq!(outcome(&office.put(&key, &body).await), (201, "", "true"));
    desk.close().await;
}

#[tokio::test]
async fn a_repeated_batch_gets_its_first_answer() {
    let desk = Desk::open().await;
    let office = Office::register(&desk).await;
    let rows = [result(&fresh_phone()), result(&fresh_phone()), json!({"ref": "no decision"})];
    let key = fresh_key();
    let first = office.post(&key, &rows).await;
    assert_eq!(outcome(&first), (207, "", ""), "{}", first.body);
    let again = office.post(&key, &rows).await;
    assert_eq!((outcome(&again), &again.body), ((207, "", "true"), &first.body));
    assert_eq!(outcome(&office.post(&key, &rows[..1]).await), (422, "idempotency_key_reused", ""));
    let known = office.post(&fresh_key(), &rows).await;
    let statuses: Vec<u64> = known.rows().unwrap().iter().map(|row| row["status"].as_u64().unwrap()).collect();
    assert_eq!((outcome(&known), &statuses[..]), ((207, "", ""), &[200, 200, 422][..]));

    let rows = [result(&fresh_phone())];
    let key = fresh_key();
    let replies = join_all((0..8).map(|_| office.post(&key, &rows))).await;
    let first = replies.iter().filter(|reply| outcome(reply) == (207, "", "")).count();
    let allowed = [(207, "", ""), (207, "", "true"), (409, "request_in_progress", "")];
    assert!(first == 1 && replies.iter().all(|reply| allowed.contains(&outcome(reply))));

    // A batch that changed nothing is not stored, and can be corrected under the same key.
    let mut corrected = result(&fresh_phone());
    let item = std::mem::replace(&mut corrected["item_code"], json!("XX-9999"));
    let key = fresh_key();
    assert_eq!(office.post(&key, &[corrected.clone()]).await.rows().unwrap()[0]["status"], 422);
    corrected["item_code"] = item;
    assert_eq!(office.post(&key, &[corrected]).await.rows().unwrap()[0]["status"], 201);
    let keyless = office.api.post("/integration/v1/result-batches").json(&json!({"results": rows}));
    assert_eq!(outcome(&keyless.answer().await.unwrap()), (400, "idempotency_key_missing", ""));
    desk.close().await;
}
