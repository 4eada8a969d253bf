//! If a row of a batch cannot be accepted or written, only this row is refused, with its own reason. The other rows
//! take effect.

use serde_json::{Value, json};
use songda::demo::{fresh_key, fresh_phone};

use crate::support::answers::{assert_problem, replayed};
use crate::support::arrivals::{Decided, assert_arrived_once};
use crate::support::desk::Desk;
use crate::support::office::{Office, number_of, result, result_with};

/// Returns the status, the code and the pointer of the first fault of a refused row.
fn refusal(verdict: &Value) -> (u64, &str, &str) {
    let problem = verdict.get("problem").unwrap_or_else(|| panic!("accepted: {verdict}"));
    let pointer = problem["errors"][0]["pointer"].as_str().unwrap_or_default();
    (problem["status"].as_u64().unwrap(), problem["code"].as_str().unwrap(), pointer)
}

#[tokio::test]
async fn an_invalid_row_of_a_batch_is_refused_alone() {
    let desk = Desk::open().await;
    let office = Office::register(&desk).await;
    let [known, other] = [result(&fresh_phone()), result(&fresh_phone())];
    office.hand_in(&[known.clone(), other.clone()]).await;

    let phones = [fresh_phone(), fresh_phone()];
    let [first, last] = phones.each_ref().map(|phone| result(phone));
    let mut another_decision = other;
    another_decision["delivery"] = json!({"way": "electronic"});
    let batch = [
        first.clone(),
        result_with("/reasons", json!("a\0b")),
        result_with("/result/title", json!("长".repeat(101))),
        result_with("/item_code", json!("XX-9999")),
        result_with("/ref", first["ref"].clone()),
        another_decision,
        // The year 0 is valid in RFC 3339, but PostgreSQL cannot store it.
        result_with("/decided_at", json!("0000-01-01T00:00:00Z")),
        known,
        last,
    ];
    let verdicts = office.hand_in(&batch).await;
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
    assert_eq!(verdicts[7]["status"], 200, "it is recognised: {}", verdicts[7]);

    let decided = [&verdicts[0], &verdicts[8]].into_iter().zip(phones).map(|(verdict, phone)| {
        assert_eq!(verdict["status"], 201, "{verdict}");
        Decided::by_phone(number_of(verdict), phone)
    });
    assert_arrived_once(&desk, &decided.collect::<Vec<_>>()).await;
    assert_eq!(desk.count("select count(*) from cases").await, 4, "two from before, and the two valid ones");
    desk.close().await;
}

/// If the checks pass and the database refuses a row, the other rows are written one by one, and the answer is stored.
#[tokio::test]
async fn a_batch_with_a_row_that_the_database_refuses_is_answered_once() {
    let desk = Desk::open().await;
    let office = Office::register(&desk).await;
    desk.execute("alter table cases add constraint unwritable check (source_ref <> 'unwritable')").await;
    let phone = fresh_phone();
    let batch = [result(&phone), result_with("/ref", json!("unwritable"))];

    let key = fresh_key();
    let first = office.post(&key, &batch).await;
    let again = office.post(&key, &batch).await;
    let verdicts = first.rows().unwrap();
    assert_eq!([&verdicts[0]["status"], &verdicts[1]["status"]], [201, 500], "{}", first.body);
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!((replayed(&first), replayed(&again)), ("", "true"));
    assert_problem(&office.post(&key, &[result(&phone)]).await, 422, "idempotency_key_reused");
    assert_arrived_once(&desk, &[Decided::by_phone(number_of(&verdicts[0]), phone)]).await;

    // If no row is accepted, no answer is stored, and the batch can be repeated under its key.
    let key = fresh_key();
    let alone = [result_with("/ref", json!("unwritable"))];
    assert_eq!(office.post(&key, &alone).await.rows().unwrap()[0]["status"], 500);
    desk.execute("alter table cases drop constraint unwritable").await;
    let repeated = office.post(&key, &alone).await;
    assert_eq!((replayed(&repeated), &repeated.rows().unwrap()[0]["status"]), ("", &json!(201)));
    desk.close().await;
}
