//! Results that clients report one at a time, but concurrently. They share transactions, and each gets the answer that
//! it would get alone.

use futures_util::future::join_all;
use serde_json::{Value, json};
use songda::demo::{fresh_key, fresh_phone};

use crate::support::answers::assert_problem;
use crate::support::arrivals::{Decided, assert_arrived_once};
use crate::support::desk::Desk;
use crate::support::locks::{lock, wait_for_blocked_on};
use crate::support::office::{Office, result, result_with};

/// The number of results: enough that most of them wait while the first ones are written.
const COUNT: usize = 60;

#[tokio::test]
async fn concurrent_results_each_get_the_answer_of_their_own() {
    let desk = Desk::open().await;
    let office = Office::register(&desk).await;
    let elsewhere = Office::register(&desk).await;

    let phones: Vec<String> = (0..COUNT).map(|_| fresh_phone()).collect();
    let rows: Vec<Value> = phones.iter().map(|phone| result(phone)).collect();
    let unpublished = result_with("/item_code", json!("XX-9999"));
    let mut contrary = rows[0].clone();
    contrary["delivery"] = json!({"way": "electronic"});
    // References belong to a system: the same reference of another system is another result.
    let other_phone = fresh_phone();
    let mut namesake = result(&other_phone);
    namesake["ref"] = rows[1]["ref"].clone();

    let put = async |row: &Value| office.put(&fresh_key(), row).await;
    let (each, again, refused, conflict, other) = tokio::join!(
        join_all(rows.iter().map(put)),
        join_all(rows.iter().map(put)),
        put(&unpublished),
        async {
            // The contrary result is sent only after the original one is answered. So the contrary one is refused, and
            // not the original one.
            put(&rows[0]).await;
            put(&contrary).await
        },
        async { elsewhere.put(&fresh_key(), &namesake).await },
    );

    assert_problem(&refused, 422, "item_not_published");
    assert_problem(&conflict, 409, "result_conflict");
    assert_eq!(other.status.as_u16(), 201);
    let numbers: Vec<String> = each.iter().map(|reply| reply.text("/number").unwrap()).collect();
    for (at, (one, other)) in each.iter().zip(&again).enumerate() {
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        // The first result was reported a third time, and possibly that request opened the case.
        assert!(statuses == [200, 201] || (at == 0 && statuses == [200, 200]), "{statuses:?}");
        assert_eq!(other.text("/number").unwrap(), numbers[at], "one reference, one case");
    }

    let of_other = Decided::by_phone(other.text("/number").unwrap(), other_phone);
    let decided = numbers.into_iter().zip(phones).map(|(number, phone)| Decided::by_phone(number, phone));
    assert_arrived_once(&desk, &decided.chain([of_other]).collect::<Vec<_>>()).await;
    desk.close().await;
}

#[tokio::test]
async fn a_client_that_hangs_up_while_it_writes_for_others_does_not_hold_them_up() {
    let desk = Desk::open().await;
    let office = Office::register(&desk).await;
    let [gone, stays] = [fresh_phone(), fresh_phone()];
    let left = result(&gone);
    let right = result(&stays);

    // Nothing can be written while the table is locked, so the first client hangs up within its transaction.
    let lock = lock(&desk, "cases").await;
    let key = fresh_key();
    tokio::select! {
        answer = office.put(&key, &left) => panic!("written in spite of the lock: {}", answer.status),
        () = wait_for_blocked_on(&desk, "cases", 1) => {}
    }
    let key = fresh_key();
    let (answer, ()) = tokio::join!(office.put(&key, &right), async { lock.commit().await.unwrap() });
    assert_eq!(answer.status.as_u16(), 201);

    let again = office.put(&fresh_key(), &left).await;
    assert!([200, 201].contains(&again.status.as_u16()), "it is accepted once at most: {}", again.status);
    let decided =
        [(answer, stays), (again, gone)].map(|(reply, phone)| Decided::by_phone(reply.text("/number").unwrap(), phone));
    assert_arrived_once(&desk, &decided).await;
    desk.close().await;
}
