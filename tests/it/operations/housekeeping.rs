//! Old rows are deleted in batches, by one process at a time. Every running worker does this by itself, without a
//! command.

use songda::casework::upkeep::forget_old::{AT_ONCE, forget_old};
use songda::domain::kernel::clock::Clock;
use songda::store::housekeeping;

use crate::support::database::Record;
use crate::support::desk::Desk;
use crate::support::wait::wait_until;

/// Stores 1500 answers under idempotency keys. All but the last one have expired. A single batch cannot delete them
/// all.
const ANSWERS: &str = "insert into idempotent_answers (scope, key, fingerprint, form, body_sealed, created_at)
    select 'per_1:submit_case', n::text, '', '{}', '', now() - case when n < 1500 then 31 else 29 end * interval '1 day'
    from generate_series(1, 1500) n";

#[tokio::test]
async fn expired_rows_are_deleted_in_batches_and_young_ones_stay() {
    let record = Record::create().await;
    let store = &record.store;
    let now = Clock::system().now();
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
async fn one_process_at_a_time_deletes_old_rows() {
    let record = Record::create().await;
    let store = &record.store;
    let now = Clock::system().now();
    sqlx::query(ANSWERS).execute(store.pool()).await.unwrap();
    let mut another = store.begin().await.unwrap();
    assert!(housekeeping::try_lock(&mut another).await.unwrap());
    assert_eq!(forget_old(store, now).await.unwrap(), 0, "another process is at it");
    another.rollback().await.unwrap();
    assert_ne!(forget_old(store, now).await.unwrap(), 0);
    record.drop().await;
}

#[tokio::test]
async fn a_running_worker_deletes_old_rows() {
    let desk = Desk::builder().settings(&[("SONGDA_HOUSEKEEPING", "50ms")]).open().await;
    desk.execute(ANSWERS).await;
    let left = async || desk.count("select count(*) from idempotent_answers").await;
    wait_until("only the young answer is left", async || left().await == 1).await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_applications_are_kept_for_three_years() {
    let desk = Desk::builder().settings(&[("SONGDA_HOUSEKEEPING", "50ms")]).open().await;
    desk.execute(
        "insert into refused_applications (item_code, reason, at)
         select 'XX-' || years, 'not_published', now() - years * interval '366 days' from generate_series(1, 4) years",
    )
    .await;
    let left = async || desk.count("select count(*) from refused_applications").await;
    wait_until("those of the last three years are left", async || left().await == 2).await;
    desk.close().await;
}
