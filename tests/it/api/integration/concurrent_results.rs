//! Decisions that systems hand in one at a time, but at the same time: they share transactions, and each gets the answer
//! that it would get alone.

use futures_util::future::join_all;
use serde_json::{Value, json};
use songda::demo::http::{Caller, Reply};
use songda::demo::{fresh_key, fresh_phone};

use crate::support::desk::{Desk, wait_until};
use crate::support::office::{Decided, KnownOffice, came_once, result};

/// So many that most of them wait while the first are written.
const CROWD: usize = 60;

async fn hand_in(office: &Caller, source: &str, row: &Value) -> Reply {
    let mut body = row.clone();
    let reference = body.as_object_mut().unwrap().remove("ref").unwrap();
    let path = format!("/integration/v1/results/{source}/{}", reference.as_str().unwrap());
    office.put(&path).once(&fresh_key()).json(&body).answer().await.unwrap()
}

#[tokio::test]
async fn decisions_at_the_same_time_are_answered_each_for_itself() {
    let desk = Desk::open().await;
    let known = KnownOffice::new(&desk).await;
    let office = desk.api.with_token(known.token(&desk).await);
    let another = KnownOffice::new(&desk).await;
    let elsewhere = desk.api.with_token(another.token(&desk).await);

    let phones: Vec<String> = (0..CROWD).map(|_| fresh_phone()).collect();
    let rows: Vec<Value> = phones.iter().map(|phone| result(phone)).collect();
    let mut unpublished = result(&fresh_phone());
    unpublished["item_code"] = json!("XX-9999");
    let mut contrary = rows[0].clone();
    contrary["delivery"] = json!({"way": "electronic"});

    let each = join_all(rows.iter().map(|row| hand_in(&office, &known.source, row)));
    let again = join_all(rows.iter().map(|row| hand_in(&office, &known.source, row)));
    // A reference is a system's own: the same of another system is another decision.
    let strange_phone = fresh_phone();
    let mut namesake = result(&strange_phone);
    namesake["ref"] = rows[1]["ref"].clone();
    let (each, again, refused, conflict, strange) = tokio::join!(
        each,
        again,
        hand_in(&office, &known.source, &unpublished),
        async {
            // The first to be written decides which of two is the contrary one: this one waits for its answer.
            hand_in(&office, &known.source, &rows[0]).await;
            hand_in(&office, &known.source, &contrary).await
        },
        hand_in(&elsewhere, &another.source, &namesake),
    );

    assert_eq!((refused.status.as_u16(), refused.text("/code").unwrap().as_str()), (422, "item_not_published"));
    assert_eq!((conflict.status.as_u16(), conflict.text("/code").unwrap().as_str()), (409, "result_conflict"));
    assert_eq!(strange.status.as_u16(), 201);
    let numbers: Vec<String> = each.iter().map(|reply| reply.text("/number").unwrap()).collect();
    for (at, (one, other)) in each.iter().zip(&again).enumerate() {
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        // The first reference came a third time, before the contrary decision: that one may have been the one that made it.
        assert!(statuses == [200, 201] || (at == 0 && statuses == [200, 200]), "{statuses:?}");
        assert_eq!(other.text("/number").unwrap(), numbers[at], "one reference, one case");
    }

    let of_stranger = Decided::by_phone(strange.text("/number").unwrap(), strange_phone);
    let decided = numbers.into_iter().zip(phones).map(|(number, phone)| Decided::by_phone(number, phone));
    came_once(&desk, &decided.chain([of_stranger]).collect::<Vec<_>>()).await;
    desk.close().await;
}

/// Whether a transaction waits for the table of cases.
async fn is_waited_for(desk: &Desk) -> bool {
    let waits = "select exists (select from pg_locks where not granted and relation = 'cases'::regclass
                 and database = (select oid from pg_database where datname = current_database()))";
    sqlx::query_scalar(waits).fetch_one(&desk.database).await.unwrap()
}

/// Whoever writes for all hangs up in the middle: the others do not hang with it.
#[tokio::test]
async fn a_caller_that_hangs_up_takes_nobody_along() {
    let desk = Desk::open().await;
    let known = KnownOffice::new(&desk).await;
    let office = desk.api.with_token(known.token(&desk).await);
    let [gone, stays] = [fresh_phone(), fresh_phone()];
    let (left, right) = (result(&gone), result(&stays));

    // Nobody can write while the table is locked, so the first caller is in the middle of its transaction.
    let mut lock = desk.database.begin().await.unwrap();
    sqlx::query("lock table cases in exclusive mode").execute(&mut *lock).await.unwrap();
    tokio::select! {
        answer = hand_in(&office, &known.source, &left) => panic!("written in spite of the lock: {}", answer.status),
        () = wait_until("a writer that waits for the table", async || is_waited_for(&desk).await) => {}
    }
    let (answer, ()) = tokio::join!(hand_in(&office, &known.source, &right), async { lock.commit().await.unwrap() });
    assert_eq!(answer.status.as_u16(), 201);

    let again = hand_in(&office, &known.source, &left).await;
    assert!([200, 201].contains(&again.status.as_u16()), "it is taken once, whenever it was written: {}", again.status);
    let decided =
        [(answer, stays), (again, gone)].map(|(reply, phone)| Decided::by_phone(reply.text("/number").unwrap(), phone));
    came_once(&desk, &decided).await;
    desk.close().await;
}
