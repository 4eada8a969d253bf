//! The part of `casework` that lets a use case take effect only once for each idempotency key, on a real database.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use songda::casework::frame::idempotency::{Answer, Entered, IdempotencyError, IdempotentRequest, enter, leave};
use songda::domain::kernel::clock::Instant;
use songda::store::Store;
use songda::store::idempotency::{self, KEPT};

use crate::support::database::Record;
use crate::support::edge::now;

fn once(key: &str, fingerprint: u8) -> IdempotentRequest {
    IdempotentRequest { scope: "per_1:submit_case".to_owned(), key: key.to_owned(), fingerprint: [fingerprint; 32] }
}

fn answer() -> Answer {
    Answer { form: json!({ "status": 201 }), body: json!({ "id": "case_1" }) }
}

/// Runs a use case in a separate transaction. The end of the transaction releases the lock of the key.
async fn ask(store: &Store, once: &IdempotentRequest, at: Instant) -> Result<Entered, IdempotencyError> {
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
async fn a_repeated_request_gets_the_first_answer_until_its_key_expires() {
    let database = Record::create().await;
    let store = &database.store;
    assert_eq!(ask(store, &once("k", 1), now()).await.unwrap(), Entered::First);
    assert_eq!(ask(store, &once("k", 1), now()).await.unwrap(), Entered::Replay(answer()));
    assert!(matches!(ask(store, &once("k", 2), now()).await, Err(IdempotencyError::Mismatch)));
    assert_eq!(ask(store, &once("other", 2), now()).await.unwrap(), Entered::First);
    let elsewhere = IdempotentRequest { scope: "per_2:submit_case".to_owned(), ..once("k", 1) };
    assert_eq!(ask(store, &elsewhere, now()).await.unwrap(), Entered::First);

    let late = now() + KEPT + chrono::TimeDelta::seconds(1);
    assert_eq!(ask(store, &once("k", 2), late).await.unwrap(), Entered::First, "an expired key can be used again");
    let forgotten = idempotency::forget(&mut store.connection().await.unwrap(), late, 100).await.unwrap();
    assert_eq!(forgotten, 2);
    database.drop().await;
}

#[tokio::test]
async fn a_repetition_during_the_first_request_is_refused_and_a_rollback_frees_the_key() {
    let database = Record::create().await;
    let store = &database.store;
    let mut first = store.begin().await.unwrap();
    assert_eq!(enter(&mut first, store.keys(), Some(&once("k", 1)), now()).await.unwrap(), Entered::First);
    assert!(matches!(ask(store, &once("k", 1), now()).await, Err(IdempotencyError::InProgress)));
    assert_eq!(ask(store, &once("other", 1), now()).await.unwrap(), Entered::First, "other keys are free");
    leave(&mut first, store.keys(), Some(&once("k", 1)), &answer(), now()).await.unwrap();
    first.rollback().await.unwrap();
    assert_eq!(ask(store, &once("k", 1), now()).await.unwrap(), Entered::First);
    database.drop().await;
}

#[tokio::test]
async fn one_of_many_concurrent_requests_takes_effect() {
    let database = Record::create().await;
    let store = &database.store;
    let firsts = AtomicU32::new(0);
    let key = once("k", 1);
    let asked = (0..16).map(|_| async {
        match ask(store, &key, now()).await {
            Ok(Entered::First) => drop(firsts.fetch_add(1, Ordering::Relaxed)),
            Ok(Entered::Replay(again)) => assert_eq!(again, answer()),
            Err(IdempotencyError::InProgress) => {}
            Err(error) => panic!("{error}"),
        }
    });
    futures_util::future::join_all(asked).await;
    assert_eq!(firsts.into_inner(), 1);
    database.drop().await;
}
