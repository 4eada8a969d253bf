//! One thing among many that cannot be taken or written. It is refused by itself, with its own reason, and the others take
//! effect: rows of a batch of results, and attempts that are settled together.

use std::time::Duration;

use serde_json::{Value, json};
use songda::demo::fresh_phone;

use crate::decisions::{Decided, back_office, came_once, decide, number_of, result};
use crate::harness::{Desk, wait_until};
use crate::kills::QUICK;

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

/// The record may refuse what an attempt ended with. Tried again, it would end the same way, and ring the phone each time.
#[tokio::test]
async fn an_attempt_whose_end_cannot_be_written_is_given_up_and_harms_no_other() {
    let mut desk = Desk::open_idle(&QUICK).await;
    desk.leave_jobs();
    let decided = decide(&desk, 3).await;
    let refuse = "create function refuse() returns trigger language plpgsql as $$ begin
            if new.case_number = tg_argv[0] then raise 'cannot be written' using errcode = '22021'; end if; return new;
        end $$";
    sqlx::query(refuse).execute(&desk.database).await.unwrap();
    let trigger = format!(
        "create trigger refuse before update on notifications for each row execute function refuse('{}')",
        decided[0].number
    );
    sqlx::query(sqlx::AssertSqlSafe(trigger)).execute(&desk.database).await.unwrap();

    let _worker = desk.worker(None);
    let given_up = "select count(*) from jobs j join attempts a on a.job_id = j.id
        where j.kind = 'push' and j.state = 'dead' and a.outcome = 'unwritable'";
    let given_up = async || sqlx::query_scalar::<_, i64>(given_up).fetch_one(&desk.database).await.unwrap() == 1;
    wait_until(Duration::from_secs(20), "its push is given up", given_up).await;
    desk.finish(Duration::from_secs(20)).await;
    let phones = &desk.sandbox.world().phones;
    for one in &decided {
        assert_eq!(phones.of(&one.phone).iter().map(|message| message.copies).sum::<u32>(), 1, "{}", one.number);
    }
    desk.close().await;
}
