//! Backup and restore as `docs/operations/recover.md` describes them: a backup taken during work is restored into a
//! fresh database with an empty Redis. The tables are the same, and every message and parcel arrives once.

use std::collections::BTreeMap;
use std::fs;

use songda::kill_point::Boundary;
use sqlx::{AssertSqlSafe, PgPool};

use crate::support::arrivals::{Decided, assert_arrived_once};
use crate::support::database::Database;
use crate::support::desk::Desk;
use crate::support::office::decide;
use crate::support::process::assert_killed;
use crate::support::servers::Servers;
use crate::support::settings::QUICK;

#[tokio::test]
async fn promises_in_a_backup_taken_during_work_are_kept_once_after_the_restore() {
    let mut desk = Desk::builder().settings(&QUICK).without_worker().open().await;
    let decided = decide_during_work(&desk).await;
    let content = desk.folder.join("uploads/2026-11-23/upl_1");
    fs::create_dir_all(content.parent().unwrap()).unwrap();
    fs::write(&content, "a material").unwrap();
    let before = digests(&desk.database).await;
    let backup = desk.folder.path_of("backup");
    desk.script("backup", &[&backup], &[]).await;

    let fresh = Database::empty(&Servers::shared()).await;
    let uploads = desk.folder.path_of("uploads-restored");
    let restored = [("SONGDA_DATABASE_URL", fresh.url.as_str()), ("SONGDA_UPLOADS", uploads.as_str())];
    desk.script("restore", &[&backup], &restored).await;
    assert_eq!(fs::read_to_string(format!("{uploads}/2026-11-23/upl_1")).unwrap(), "a material");
    desk.move_to(fresh).await;
    assert_eq!(digests(&desk.database).await, before);

    let worker = desk.worker();
    assert_arrived_once(&desk, &decided).await;
    let server = desk.server().await;
    assert!(server.api.get("/readyz").success().await.is_ok(), "an API serves it");
    desk.close().await;
    drop(worker);
}

/// Reports decisions whose jobs are done, are waiting, or are held by a worker that died between a call and its
/// settlement.
async fn decide_during_work(desk: &Desk) -> Vec<Decided> {
    let mut decided = decide(desk, 4).await;
    let mut worker = desk.worker();
    assert_arrived_once(desk, &decided).await;
    worker.kill().await.unwrap();
    // Stops the callbacks: a receipt that came after the digests and before the backup would be in the backup only.
    desk.sandbox.world().callbacks.aim(None);
    decided.extend(decide(desk, 4).await);
    assert_killed(desk, desk.worker_dying_at(Boundary::Called), Boundary::Called).await;
    decided
}

/// Returns a digest of all rows of each table.
async fn digests(database: &PgPool) -> BTreeMap<String, Option<String>> {
    let tables: Vec<String> =
        sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public' order by tablename")
            .fetch_all(database)
            .await
            .unwrap();
    assert!(tables.len() > 20, "{tables:?}");
    let mut digests = BTreeMap::new();
    for table in tables {
        let digest = format!("select md5(string_agg(row::text, ';' order by row::text)) from {table} row");
        let digest = sqlx::query_scalar(AssertSqlSafe(digest)).fetch_one(database).await.unwrap();
        digests.insert(table, digest);
    }
    digests
}
