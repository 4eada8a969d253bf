//! Old rows are deleted in batches, by one process at a time. Every running worker does this by itself, without a
//! command.

use chrono::TimeDelta;
use songda::casework::upkeep::forget_old::forget_old;
use songda::casework::upkeep::retention::Retained;
use songda::domain::kernel::clock::Clock;
use songda::store::{KeyRing, Store, housekeeping};

use crate::support::arrivals::assert_arrived_once;
use crate::support::database::Record;
use crate::support::desk::Desk;
use crate::support::items::ITEM;
use crate::support::office::decide;
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
    assert_eq!(i64::try_from(first).unwrap(), Retained::Answers.at_once());
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

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_longer_needed_ends_and_what_is_the_record_stays() {
    let desk = Desk::open().await;
    let decided = decide(&desk, 2).await;
    let resident = desk.resident().await;
    let cursor = resident.caller().get("/v1/changes").success().await.unwrap().text("/next_cursor").unwrap();
    desk.journey(ITEM).by(&resident).submitted().accepted().granted().await;
    assert_arrived_once(&desk, &decided).await;
    desk.outside().advance_all().await.unwrap();
    wait_until("the scans are read", async || desk.count("select count(*) from parcel_scans").await == 2).await;
    desk.finish().await;
    let keys = KeyRing::parse(KeyRing::fresh_file().expose()).unwrap();
    let store = &Store::new(desk.setting("SONGDA_DATABASE_URL"), 2, "test", keys).unwrap();
    let after =
        async |days: i64| while forget_old(store, Clock::system().now() + TimeDelta::days(days)).await.unwrap() > 0 {};
    let count = async |sql: &'static str| desk.count(sql).await;

    after(100).await;
    assert_eq!(count("select count(*) from changes where kind <> 'all'").await, 0);
    let read = resident.caller().get("/v1/changes").query(&[("cursor", &cursor)]).success().await.unwrap();
    assert_eq!(read.rows().unwrap().iter().map(|change| change["kind"].clone()).collect::<Vec<_>>(), ["all"]);
    assert!(
        count("select count(*) from callbacks").await > 0
            && count("select count(raw_sealed) from parcel_scans").await > 0
    );

    after(200).await;
    assert_eq!(
        count("select (select count(*) from callbacks) + (select count(raw_sealed) from parcel_scans)").await,
        0
    );
    assert!(count("select count(*) from parcel_scans").await > 0 && count("select count(*) from jobs").await > 0);

    after(400).await;
    assert_eq!(
        count("select (select count(*) from jobs where state = 'done') + (select count(*) from attempts)").await,
        0
    );
    let unseen = "select count(*) from people where signed_in_at is null and phone_hash is not null";
    assert_eq!(count(unseen).await, 2);

    after(4 * 365).await;
    assert_eq!(count(unseen).await, 0);
    assert_eq!(count("select count(*) from people where phone_hash is not null").await, 1, "the resident's stays");
    assert_eq!(count("select count(*) from cases").await, 3);
    assert!(count("select count(*) from notifications").await > 0);
    desk.close().await;
}
