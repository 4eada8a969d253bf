//! A release that rolls out: the schema grows under processes that do not know of it, old and new ones work side by side,
//! and nobody who asks notices.

use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering;

use regex::Regex;
use songda::store::migrate::{Migrated, MigrationError, migrate};
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};

use crate::database::Record;
use crate::decisions::{Decided, came_once};
use crate::folder::Folder;
use crate::harness::{Desk, stops_softly, wait_until};
use crate::kills::QUICK;
use crate::outages::Clerk;

/// What a next release may do while this one works: new columns, on every table that statements read, and an index.
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

/// The migrations of this program and those of the next.
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
async fn the_schema_grows_under_running_processes_and_nobody_is_put_off() {
    let desk = Desk::open_idle(&QUICK).await;
    let next = next_release(&desk.folder).await;
    let (old_server, mut old_worker) = (desk.server(None).await, desk.worker(None));
    let clerk = Clerk::new(&desk, &old_server).await;

    let release = async {
        clerk.some_are_taken().await;
        let mut connection = PgConnection::connect(desk.setting("SONGDA_DATABASE_URL")).await.unwrap();
        let done = migrate(&mut connection, &next, |_| ()).await;
        assert_eq!(done.unwrap(), Migrated::UpToDate);
        clerk.some_are_taken().await;
        let new_worker = desk.worker(None);
        wait_until("both are at work", async || desk.queue().call_roll().await.unwrap().len() == 2).await;
        clerk.some_are_taken().await;
        stops_softly(&mut old_worker).await;
        clerk.some_are_taken().await;
        clerk.go_home();
        new_worker
    };
    let ((), new_worker) = tokio::join!(clerk.work(), release);

    assert_eq!(clerk.put_off.load(Ordering::Relaxed), 0, "{}", old_server.log());
    let decided: Vec<Decided> = std::mem::take(&mut *clerk.taken.lock().unwrap());
    came_once(&desk, &decided).await;
    let said = desk.songda(&["migrate"]).await;
    assert!(said.contains("nothing to do"), "an older program leaves a newer schema alone: {said}");
    // The parcels go on by themselves: what carriers call about in the meantime is still to be read.
    desk.close().await;
    drop((new_worker, old_server));
}

#[tokio::test]
async fn a_migration_steps_back_from_tables_in_use_and_comes_again() {
    let (record, folder) = (Record::create().await, Folder::create());
    let next = next_release(&folder).await;
    let mut slow = record.store.pool().begin().await.unwrap();
    slow.execute("select * from cases").await.unwrap();
    let mut connection = record.store.pool().acquire().await.unwrap();
    let waiting = async {
        let waits = "select count(*) from pg_locks where not granted and relation = 'cases'::regclass";
        let count = async || sqlx::query_scalar::<_, i64>(waits).fetch_one(record.store.pool()).await.unwrap();
        wait_until("the change waits", async || count().await == 1).await;
        wait_until("the change steps back", async || count().await == 0).await;
        slow.rollback().await.unwrap();
    };
    let (done, ()) = tokio::join!(migrate(&mut connection, &next, |_| ()), waiting);
    assert_eq!(done.unwrap(), Migrated::UpToDate);
    drop(connection);
    record.drop().await;
}

#[tokio::test]
async fn a_schema_of_another_program_is_left_alone() {
    let record = Record::create().await;
    let mut connection = record.store.pool().acquire().await.unwrap();
    connection.execute("update _sqlx_migrations set checksum = '\\x00' where version = 3").await.unwrap();
    let done = migrate(&mut connection, &songda::store::MIGRATOR, |_| ()).await;
    assert!(matches!(&done, Err(MigrationError::Foreign { broken, .. }) if *broken == [3]), "{done:?}");
    drop(connection);
    record.drop().await;
}

/// A statement that returns whatever columns there are fails, once prepared, when a migration adds one.
#[test]
fn statements_name_their_columns() {
    let star = Regex::new(r"(?:select|returning)\s+(?:\w+\.)?\*(?:\s+from\s+(\w+))?").unwrap();
    let mut found = Vec::new();
    for file in files(Path::new("src/store")).into_iter().chain(files(Path::new("src/casework"))) {
        let text = fs::read_to_string(&file).unwrap();
        let stars = star.captures_iter(&text).filter(|star| star.get(1).is_none_or(|table| table.as_str() != "unnest"));
        found.extend(stars.map(|star| format!("{}: {}", file.display(), &star[0])));
    }
    assert!(found.is_empty(), "name the columns:\n{}", found.join("\n"));
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files
}
