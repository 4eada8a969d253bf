//! Decisions that are handed in again: the same request gets its first answer, the same decision is known, and whatever else
//! comes under a reference or a key that is taken is told apart.

use futures_util::future::join_all;
use serde_json::{Value, json};
use songda::demo::http::{Caller, Reply};
use songda::demo::{fresh_key, fresh_phone};

use crate::support::desk::Desk;
use crate::support::office::{KnownOffice, result};

/// A back-office system, and one decision of it.
struct Report {
    office: Caller,
    path: String,
    body: Value,
}

impl Report {
    async fn new(desk: &Desk) -> Self {
        let known = KnownOffice::new(desk).await;
        let office = desk.api.with_token(known.token(desk).await);
        let mut body = result(&fresh_phone());
        let reference = body.as_object_mut().unwrap().remove("ref").unwrap();
        let path = format!("/integration/v1/results/{}/{}", known.source, reference.as_str().unwrap());
        Self { office, path, body }
    }

    async fn put(&self, key: &str, body: &Value) -> Reply {
        self.office.put(&self.path).once(key).json(body).answer().await.unwrap()
    }

    async fn post(&self, key: &str, rows: &[Value]) -> Reply {
        let call = self.office.post("/integration/v1/result-batches").once(key);
        call.json(&json!({"results": rows})).answer().await.unwrap()
    }

    fn with(&self, pointer: &str, value: Value) -> Value {
        let mut body = self.body.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        body
    }
}

fn outcome(reply: &Reply) -> (u16, &str, &str) {
    let code = reply.body["code"].as_str().unwrap_or_default();
    (reply.status.as_u16(), code, reply.header("idempotent-replayed"))
}

#[tokio::test]
async fn the_same_request_gets_its_first_answer_and_another_is_told_apart() {
    let desk = Desk::open().await;
    let report = Report::new(&desk).await;
    let (body, key) = (&report.body, fresh_key());
    let first = report.put(&key, body).await;
    assert_eq!(outcome(&first), (201, "", ""), "{}", first.body);
    let again = report.put(&key, body).await;
    assert_eq!(outcome(&again), (201, "", "true"));
    assert_eq!((&again.body, again.etag()), (&first.body, first.etag()));
    assert_eq!(outcome(&report.put(&fresh_key(), body).await), (200, "", ""), "it is known, whoever asks again");

    // The same instant, written otherwise; and a name, which is not kept.
    let otherwise = report.with("/decided_at", json!("2026-11-20T01:00:00Z"));
    assert_eq!(outcome(&report.put(&fresh_key(), &otherwise).await), (200, "", ""));
    assert_eq!(outcome(&report.put(&key, &report.with("/applicant/name", json!("王小敏"))).await), (201, "", "true"));

    // Nothing of it goes anywhere, so nobody may believe that it did.
    let mut with_an_id = report.body.clone();
    with_an_id["applicant"]["resident_id"] = json!("320422198506150024");
    for (what, changed) in [
        ("another applicant", report.with("/applicant/phone", json!(fresh_phone()))),
        ("an applicant with a name", with_an_id),
        ("a corrected address", report.with("/delivery/recipient/detail", json!("西城街道清风路2号"))),
        ("another recipient", report.with("/delivery/recipient/name", json!("王大明"))),
        ("another way", report.with("/delivery", json!({"way": "electronic"}))),
        ("other reasons", report.with("/reasons", json!("另有说明"))),
        ("another number", report.with("/result/number", json!("IT-0002"))),
        ("another time", report.with("/decided_at", json!("2026-11-20T01:00:01Z"))),
    ] {
        let conflict = report.put(&fresh_key(), &changed).await;
        assert_eq!(outcome(&conflict), (409, "result_conflict", ""), "{what}: {}", conflict.body);
        assert_eq!(outcome(&report.put(&key, &changed).await), (422, "idempotency_key_reused", ""), "{what}");
    }
    let nameless = report.office.put(&report.path).json(body).answer().await.unwrap();
    assert_eq!(outcome(&nameless), (400, "idempotency_key_missing", ""));
    desk.close().await;
}

#[tokio::test]
async fn a_request_under_way_is_not_begun_a_second_time() {
    let desk = Desk::open().await;
    let report = Report::new(&desk).await;
    let key = fresh_key();
    let replies = join_all((0..12).map(|_| report.put(&key, &report.body))).await;
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
    assert_eq!(outcome(&report.put(&key, &report.body).await), (201, "", "true"));
    desk.close().await;
}

#[tokio::test]
async fn a_batch_is_answered_once() {
    let desk = Desk::open().await;
    let report = Report::new(&desk).await;
    let rows = [result(&fresh_phone()), result(&fresh_phone()), json!({"ref": "no decision"})];
    let key = fresh_key();
    let first = report.post(&key, &rows).await;
    assert_eq!(outcome(&first), (207, "", ""), "{}", first.body);
    let again = report.post(&key, &rows).await;
    assert_eq!((outcome(&again), &again.body), ((207, "", "true"), &first.body));
    assert_eq!(outcome(&report.post(&key, &rows[..1]).await), (422, "idempotency_key_reused", ""));
    let known = report.post(&fresh_key(), &rows).await;
    let statuses: Vec<u64> = known.rows().unwrap().iter().map(|row| row["status"].as_u64().unwrap()).collect();
    assert_eq!((outcome(&known), &statuses[..]), ((207, "", ""), &[200, 200, 422][..]));

    let rows = [result(&fresh_phone())];
    let key = fresh_key();
    let replies = join_all((0..8).map(|_| report.post(&key, &rows))).await;
    let first = replies.iter().filter(|reply| outcome(reply) == (207, "", "")).count();
    let others = [(207, "", "true"), (409, "request_in_progress", "")];
    assert!(
        first == 1 && replies.iter().all(|reply| outcome(reply) == (207, "", "") || others.contains(&outcome(reply)))
    );

    // What changed nothing is not kept, and may be mended under the same key.
    let mut mended = result(&fresh_phone());
    let item = std::mem::replace(&mut mended["item_code"], json!("XX-9999"));
    let key = fresh_key();
    assert_eq!(report.post(&key, &[mended.clone()]).await.rows().unwrap()[0]["status"], 422);
    mended["item_code"] = item;
    assert_eq!(report.post(&key, &[mended]).await.rows().unwrap()[0]["status"], 201);
    let keyless = report.office.post("/integration/v1/result-batches").json(&json!({"results": rows}));
    assert_eq!(outcome(&keyless.answer().await.unwrap()), (400, "idempotency_key_missing", ""));
    desk.close().await;
}
