//! A release rolls out: the schema grows under processes that do not know the new columns, old and new processes work
//! side by side, and no client notices.

use std::fs;
use std::sync::atomic::Ordering;

use songda::store::migrate::{Migrated, MigrationError, migrate};
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};

use crate::support::arrivals::{Decided, assert_arrived_once};
use crate::support::database::Record;
use crate::support::desk::Desk;
use crate::support::folder::Folder;
use crate::support::load::Clerk;
use crate::support::process::stop_gracefully;
use crate::support::settings::QUICK;
use crate::support::wait::wait_until;

/// Changes that the next release is allowed to make to the schema while this one runs: new columns on every table that
/// statements read, and an index.
const NEXT: [(&str, &str); 2] = [
    (
        "9001_more_columns.sql",
        "alter table cases add column from_next_release text;
         alter table jobs add column from_next_release bigint not null default 7;
         alter table attempts add column from_next_release text;
         alter table notifications add column from_next_release text;
         alter table parcels add column from_next_release text;
         alter table parcel_scans add column from_next_release text;
         alter table people add column from_next_release text;
         alter table drafts add column from_next_release text;
         alter table officers add column from_next_release text;
         alter table api_clients add column from_next_release text;
         alter table login_codes add column from_next_release text;",
    ),
    (
        "9002_index.sql",
        "-- no-transaction\ncreate index concurrently cases_of_next_release on cases (from_next_release);",
    ),
];

/// Returns the migrations of this release and of the next.
async fn next_release(folder: &Folder) -> Migrator {
    let migrations = folder.join("migrations");
    fs::create_dir(&migrations).unwrap();
    for entry in fs::read_dir("migrations").unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, migrations.join(path.file_name().unwrap())).unwrap();
    }
    for (name, sql) in NEXT {
        fs::write(migrations.join(name), sql).unwrap();
    }
    Migrator::new(migrations.as_path()).await.unwrap()
}

#[tokio::test]
async fn no_client_notices_the_schema_growing_under_running_processes() {
    let desk = Desk::builder().settings(&QUICK).without_worker().open().await;
    let next = next_release(&desk.folder).await;
    let old_server = desk.server().await;
    let mut old_worker = desk.worker();
    let clerk = Clerk::at(&desk, &old_server).await;

    let release = async {
        clerk.some_are_accepted().await;
        let mut connection = PgConnection::connect(desk.setting("SONGDA_DATABASE_URL")).await.unwrap();
        let done = migrate(&mut connection, &next, |_| ()).await;
        assert_eq!(done.unwrap(), Migrated::UpToDate);
        clerk.some_are_accepted().await;
        let new_worker = desk.worker();
        wait_until("both workers run", async || desk.queue().live_workers().await.unwrap().len() == 2).await;
        clerk.some_are_accepted().await;
        stop_gracefully(&mut old_worker).await;
        clerk.some_are_accepted().await;
        clerk.stop();
        new_worker
    };
    let ((), new_worker) = tokio::join!(clerk.work(), release);

    assert_eq!(clerk.unavailable.load(Ordering::Relaxed), 0, "{}", old_server.log());
    let decided: Vec<Decided> = std::mem::take(&mut *clerk.accepted.lock().unwrap());
    assert_arrived_once(&desk, &decided).await;
    let printed = desk.songda(&["migrate"]).await;
    assert!(printed.contains("nothing to do"), "an older program leaves a newer schema alone: {printed}");
    // The worker runs until the desk is closed: parcels move on by themselves, and the worker has to read the carriers'
    // callbacks.
    desk.close().await;
    drop((new_worker, old_server));
}

#[tokio::test]
async fn a_migration_gives_way_to_a_table_in_use_and_tries_again() {
    let record = Record::create().await;
    let folder = Folder::create();
    let next = next_release(&folder).await;
    let mut slow = record.store.pool().begin().await.unwrap();
    slow.execute("select * from cases").await.unwrap();
    let mut connection = record.store.pool().acquire().await.unwrap();
    let waiting = async {
        let waits = "select count(*) from pg_locks where not granted and relation = 'cases'::regclass";
        let count = async || sqlx::query_scalar::<_, i64>(waits).fetch_one(record.store.pool()).await.unwrap();
        wait_until("the change waits", async || count().await == 1).await;
        wait_until("the change gives way", async || count().await == 0).await;
        slow.rollback().await.unwrap();
    };
    let (done, ()) = tokio::join!(migrate(&mut connection, &next, |_| ()), waiting);
    assert_eq!(done.unwrap(), Migrated::UpToDate);
    drop(connection);
    record.drop().await;
}

#[tokio::test]
async fn the_schema_of_another_program_is_left_alone() {
    let record = Record::create().await;
    let mut connection = record.store.pool().acquire().await.unwrap();
    connection.execute("update _sqlx_migrations set checksum = '\\x00' where version = 3").await.unwrap();
    let done = migrate(&mut connection, &songda::store::MIGRATOR, |_| ()).await;
    assert!(matches!(&done, Err(MigrationError::Foreign { broken, .. }) if *broken == [3]), "{done:?}");
    drop(connection);
    record.drop().await;
}
