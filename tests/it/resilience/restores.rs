//! Backup and restore, as docs/operations.md tells them: taken amid work, restored into a fresh database beside an empty
//! Redis. The ledgers are the same, and every promise is kept, once.

use std::collections::BTreeMap;
use std::fs;

use songda::kill_point::Step;
use sqlx::{AssertSqlSafe, PgPool};

use crate::resilience::kills::{QUICK, died};
use crate::support::database::Database;
use crate::support::desk::Desk;
use crate::support::office::{came_once, decide};
use crate::support::servers::Servers;

#[tokio::test]
async fn what_was_backed_up_amid_work_is_kept_once() {
    let mut desk = Desk::open_idle(&QUICK).await;
    let decided = amid_work(&desk).await;
    let content = desk.folder.join("uploads/2026-11-23/upl_1");
    fs::create_dir_all(content.parent().unwrap()).unwrap();
    fs::write(&content, "a material").unwrap();
    let before = ledgers(&desk.database).await;
    let backup = desk.folder.path_of("backup");
    desk.script("backup", &[&backup], &[]).await;

    let (fresh, uploads) = (Database::empty(&Servers::shared()).await, desk.folder.path_of("uploads-restored"));
    let restored = [("SONGDA_DATABASE_URL", fresh.url.as_str()), ("SONGDA_UPLOADS", uploads.as_str())];
    desk.script("restore", &[&backup], &restored).await;
    assert_eq!(fs::read_to_string(format!("{uploads}/2026-11-23/upl_1")).unwrap(), "a material");
    desk.move_to(fresh).await;
    assert_eq!(ledgers(&desk.database).await, before);

    let worker = desk.worker(None);
    came_once(&desk, &decided).await;
    let server = desk.server(None).await;
    assert!(server.api.get("/readyz").success().await.is_ok(), "an API serves it");
    desk.close().await;
    drop(worker);
}

/// Decisions whose promises were kept, are waiting, or are held by a worker that died in the middle of its calls.
async fn amid_work(desk: &Desk) -> Vec<crate::support::office::Decided> {
    let mut decided = decide(desk, 4).await;
    let mut worker = desk.worker(None);
    came_once(desk, &decided).await;
    worker.kill().await.unwrap();
    // A receipt that came while the record is copied would be in one copy and not in the other.
    desk.sandbox.world().callbacks.aim(None);
    decided.extend(decide(desk, 4).await);
    died(desk, desk.worker(Some(Step::Called)), Step::Called).await;
    decided
}

/// Each table, and a digest of all its rows.
async fn ledgers(database: &PgPool) -> BTreeMap<String, Option<String>> {
    let tables: Vec<String> =
        sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public' order by tablename")
            .fetch_all(database)
            .await
            .unwrap();
    assert!(tables.len() > 20, "{tables:?}");
    let mut ledgers = BTreeMap::new();
    for table in tables {
        let digest = format!("select md5(string_agg(row::text, ';' order by row::text)) from {table} row");
        let digest = sqlx::query_scalar(AssertSqlSafe(digest)).fetch_one(database).await.unwrap();
        ledgers.insert(table, digest);
    }
    ledgers
}
