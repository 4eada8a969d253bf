//! One row among many of a batch of results that cannot be taken or written. It is refused by itself, with its own reason,
//! and the others take effect. (Attempts that are settled together: caps.rs.)

use serde_json::{Value, json};
use songda::demo::{fresh_key, fresh_phone};

use crate::support::acts::refused;
use crate::support::desk::Desk;
use crate::support::office::{Decided, KnownOffice, back_office, came_once, number_of, result};

/// A decision with something changed.
fn but(pointer: &str, value: Value) -> Value {
    let mut row = result(&fresh_phone());
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    row.pointer_mut(parent).unwrap()[member] = value;
    row
}

/// What a row is refused for: status, code, and the place of its first fault.
fn refusal(verdict: &Value) -> (u64, &str, &str) {
    let problem = verdict.get("problem").unwrap_or_else(|| panic!("taken: {verdict}"));
    let place = problem["errors"][0]["pointer"].as_str().unwrap_or_default();
    (problem["status"].as_u64().unwrap(), problem["code"].as_str().unwrap(), place)
}

#[tokio::test]
async fn a_poison_row_is_refused_alone() {
    let desk = Desk::open().await;
    let office = back_office(&desk).await;
    let [known, other] = [result(&fresh_phone()), result(&fresh_phone())];
    office.hand_in(&[known.clone(), other.clone()]).await.unwrap();

    let phones = [fresh_phone(), fresh_phone()];
    let [first, last] = phones.each_ref().map(|phone| result(phone));
    let mut another_decision = other;
    another_decision["delivery"] = json!({"way": "electronic"});
    let batch = [
        first.clone(),
        but("/reasons", json!("a\0b")),
        but("/result/title", json!("长".repeat(101))),
        but("/item_code", json!("XX-9999")),
        but("/ref", first["ref"].clone()),
        another_decision,
        // RFC 3339 has this year, PostgreSQL has not.
        but("/decided_at", json!("0000-01-01T00:00:00Z")),
        known,
        last,
    ];
    let verdicts = office.hand_in(&batch).await.unwrap();
    let refused: Vec<_> = verdicts[1..7].iter().map(refusal).collect();
    let expected = [
        (422, "invalid_body", "/results/1/reasons"),
        (422, "invalid_body", "/results/2/result/title"),
        (422, "item_not_published", ""),
        (409, "result_repeated", ""),
        (409, "result_conflict", ""),
        (422, "invalid_body", "/results/6/decided_at"),
    ];
    assert_eq!(refused, expected);
    assert_eq!(verdicts[7]["status"], 200, "it was known: {}", verdicts[7]);

    let decided = [&verdicts[0], &verdicts[8]].into_iter().zip(phones).map(|(verdict, phone)| {
        assert_eq!(verdict["status"], 201, "{verdict}");
        Decided::by_phone(number_of(verdict), phone)
    });
    came_once(&desk, &decided.collect::<Vec<_>>()).await;
    let cases: i64 = sqlx::query_scalar("select count(*) from cases").fetch_one(&desk.database).await.unwrap();
    assert_eq!(cases, 4, "the two of before, and the two good ones");
    desk.close().await;
}

/// What the checks let pass and the record does not keep: the other rows go alone, and the answer is kept all the same.
#[tokio::test]
async fn a_batch_with_a_row_that_the_record_refuses_is_answered_once() {
    let desk = Desk::open().await;
    let office = desk.api.with_token(KnownOffice::new(&desk).await.token(&desk).await);
    let refuse = "alter table cases add constraint unwritable check (source_ref <> 'unwritable')";
    sqlx::query(refuse).execute(&desk.database).await.unwrap();
    let phone = fresh_phone();
    let batch = json!({"results": [result(&phone), but("/ref", json!("unwritable"))]});
    let hand_in = async |key: &str, body: &Value| {
        office.post("/integration/v1/result-batches").once(key).json(body).answer().await.unwrap()
    };

    let key = fresh_key();
    let (first, again) = (hand_in(&key, &batch).await, hand_in(&key, &batch).await);
    let verdicts = first.rows().unwrap();
    assert_eq!([&verdicts[0]["status"], &verdicts[1]["status"]], [201, 500], "{}", first.body);
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), ("", "true"));
    refused(&hand_in(&key, &json!({"results": [result(&phone)]})).await, 422, "idempotency_key_reused");
    came_once(&desk, &[Decided::by_phone(number_of(&verdicts[0]), phone)]).await;

    // Nothing of it was taken, so nothing is kept: it may be mended under its key.
    let (key, alone) = (fresh_key(), json!({"results": [but("/ref", json!("unwritable"))]}));
    assert_eq!(hand_in(&key, &alone).await.rows().unwrap()[0]["status"], 500);
    sqlx::query("alter table cases drop constraint unwritable").execute(&desk.database).await.unwrap();
    let mended = hand_in(&key, &alone).await;
    assert_eq!((mended.header("idempotent-replayed"), &mended.rows().unwrap()[0]["status"]), ("", &json!(201)));
    desk.close().await;
}
