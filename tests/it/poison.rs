//! One row among many of a batch of results that cannot be taken or written. It is refused by itself, with its own reason,
//! and the others take effect. (Attempts that are settled together: caps.rs.)

use std::time::Duration;

use serde_json::{Value, json};
use songda::demo::fresh_phone;

use crate::decisions::{Decided, back_office, came_once, number_of, result};
use crate::harness::Desk;

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
    came_once(&desk, &decided.collect::<Vec<_>>(), Duration::from_secs(20)).await;
    let cases: i64 = sqlx::query_scalar("select count(*) from cases").fetch_one(&desk.database).await.unwrap();
    assert_eq!(cases, 4, "the two of before, and the two good ones");
    desk.close().await;
}
