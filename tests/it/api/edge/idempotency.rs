//! Doing a thing once, on a real database.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use songda::casework::frame::idempotency::{Answer, Entered, Once, OnceError, enter, leave};
use songda::domain::kernel::clock::Instant;
use songda::store::Store;
use songda::store::idempotency::{self, KEPT};

use super::now;
use crate::support::database::Record;

fn once(key: &str, fingerprint: u8) -> Once {
    Once { scope: "per_1:submit_case".to_owned(), key: key.to_owned(), fingerprint: [fingerprint; 32] }
}

fn answer() -> Answer {
    Answer::new(201, json!({ "id": "case_1" })).header("ETag", "\"1\"")
}

/// Does it, and says what came of it. The transaction has ended then, and with it the lock.
async fn ask(store: &Store, once: &Once, at: Instant) -> Result<Entered, OnceError> {
    let mut tx = store.begin().await?;
    let entered = enter(&mut tx, store.keys(), Some(once), at).await;
    if matches!(entered, Ok(Entered::First)) {
        leave(&mut tx, store.keys(), Some(once), &answer(), at).await?;
        tx.commit().await.unwrap();
    } else {
        tx.rollback().await.unwrap();
    }
    entered
}

#[tokio::test]
async fn the_second_time_the_first_answer_is_given() {
    let database = Record::create().await;
    let store = &database.store;
    assert_eq!(ask(store, &once("k", 1), now()).await.unwrap(), Entered::First);
    assert_eq!(ask(store, &once("k", 1), now()).await.unwrap(), Entered::Replay(answer()));
    assert!(matches!(ask(store, &once("k", 2), now()).await, Err(OnceError::Mismatch)));
    assert_eq!(ask(store, &once("other", 2), now()).await.unwrap(), Entered::First);
    let elsewhere = Once { scope: "per_2:submit_case".to_owned(), ..once("k", 1) };
    assert_eq!(ask(store, &elsewhere, now()).await.unwrap(), Entered::First);

    let late = now() + KEPT + chrono::TimeDelta::seconds(1);
    assert_eq!(ask(store, &once("k", 2), late).await.unwrap(), Entered::First, "an old key may be used anew");
    let forgotten = idempotency::forget(&mut store.connection().await.unwrap(), late, 100).await.unwrap();
    assert_eq!(forgotten, 2);
    database.drop().await;
}

#[tokio::test]
async fn a_repetition_during_the_first_is_told_to_wait_and_a_rollback_leaves_nothing() {
    let database = Record::create().await;
    let store = &database.store;
    let mut first = store.begin().await.unwrap();
    assert_eq!(enter(&mut first, store.keys(), Some(&once("k", 1)), now()).await.unwrap(), Entered::First);
    assert!(matches!(ask(store, &once("k", 1), now()).await, Err(OnceError::InProgress)));
    assert_eq!(ask(store, &once("other", 1), now()).await.unwrap(), Entered::First, "others go on");
    leave(&mut first, store.keys(), Some(&once("k", 1)), &answer(), now()).await.unwrap();
    first.rollback().await.unwrap();
    assert_eq!(ask(store, &once("k", 1), now()).await.unwrap(), Entered::First);
    database.drop().await;
}

#[tokio::test]
async fn of_many_at_once_one_is_first() {
    let database = Record::create().await;
    let (store, firsts) = (&database.store, AtomicU32::new(0));
    let key = once("k", 1);
    let asked = (0..16).map(|_| async {
        match ask(store, &key, now()).await {
            Ok(Entered::First) => drop(firsts.fetch_add(1, Ordering::Relaxed)),
            Ok(Entered::Replay(again)) => assert_eq!(again, answer()),
            Err(OnceError::InProgress) => {}
            Err(error) => panic!("{error}"),
        }
    });
    futures_util::future::join_all(asked).await;
    assert_eq!(firsts.into_inner(), 1);
    database.drop().await;
}
