//! What is old is forgotten: in batches, by one process at a time, and by a running worker on its own.

use songda::casework::upkeep::forget_old::{AT_ONCE, forget_old};
use songda::domain::kernel::clock::Clock;
use songda::store::housekeeping;

use crate::support::database::Record;
use crate::support::desk::{Desk, wait_until};

/// Answers under 1500 keys, more than one batch, all but the last of them long past their time.
const ANSWERS: &str = "insert into idempotent_answers (scope, key, fingerprint, status, headers, body, created_at)
    select 'per_1:submit_case', n::text, '', 201, '[]', '{}', now() - case when n < 1500 then 31 else 29 end * interval '1 day'
    from generate_series(1, 1500) n";

#[tokio::test]
async fn old_rows_go_in_batches_and_young_ones_stay() {
    let record = Record::create().await;
    let (store, now) = (&record.store, Clock::system().now());
    sqlx::query(ANSWERS).execute(store.pool()).await.unwrap();
    let first = forget_old(store, now).await.unwrap();
    assert_eq!(i64::try_from(first).unwrap(), AT_ONCE);
    assert_eq!(forget_old(store, now).await.unwrap(), 499);
    assert_eq!(forget_old(store, now).await.unwrap(), 0);
    let left: i64 =
        sqlx::query_scalar("select count(*) from idempotent_answers").fetch_one(store.pool()).await.unwrap();
    assert_eq!(left, 1);
    record.drop().await;
}

#[tokio::test]
async fn one_process_at_a_time_keeps_house() {
    let record = Record::create().await;
    let (store, now) = (&record.store, Clock::system().now());
    sqlx::query(ANSWERS).execute(store.pool()).await.unwrap();
    let mut another = store.begin().await.unwrap();
    assert!(housekeeping::try_lock(&mut another).await.unwrap());
    assert_eq!(forget_old(store, now).await.unwrap(), 0, "another one is at it");
    another.rollback().await.unwrap();
    assert_ne!(forget_old(store, now).await.unwrap(), 0);
    record.drop().await;
}

#[tokio::test]
async fn a_worker_keeps_house_by_itself() {
    let desk = Desk::open_with(&[("SONGDA_HOUSEKEEPING", "50ms")]).await;
    sqlx::query(ANSWERS).execute(&desk.database).await.unwrap();
    wait_until("only the young answer is left", async || {
        let left: i64 =
            sqlx::query_scalar("select count(*) from idempotent_answers").fetch_one(&desk.database).await.unwrap();
        left == 1
    })
    .await;
    desk.close().await;
}
