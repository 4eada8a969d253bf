//! Table locks that hold a statement up, so that a test can act while the statement is under way.

use sqlx::{AssertSqlSafe, Postgres, Transaction};

use super::desk::Desk;
use super::wait::wait_until;

/// Locks a table against changes until the transaction ends.
pub async fn lock(desk: &Desk, table: &str) -> Transaction<'static, Postgres> {
    lock_in(desk, table, "exclusive").await
}

/// Locks a table in a mode of PostgreSQL until the transaction ends.
pub async fn lock_in(desk: &Desk, table: &str, mode: &str) -> Transaction<'static, Postgres> {
    let mut lock = desk.database.begin().await.unwrap();
    let sql = format!("lock table {table} in {mode} mode");
    sqlx::query(AssertSqlSafe(sql)).execute(&mut *lock).await.unwrap();
    lock
}

/// Waits until a transaction of this desk's database waits for a lock.
pub async fn wait_for_blocked(desk: &Desk) {
    let blocked = "select exists (select from pg_locks where not granted
                   and database = (select oid from pg_database where datname = current_database()))";
    wait_until("a transaction waits for the lock", async || desk.scalar(blocked).await).await;
}

/// Waits until at least this many transactions wait for a table.
pub async fn wait_for_blocked_on(desk: &Desk, table: &str, count: i64) {
    let blocked = "select count(*) from pg_locks where not granted and relation = $1::text::regclass
                   and database = (select oid from pg_database where datname = current_database())";
    let blocked =
        async || sqlx::query_scalar::<_, i64>(blocked).bind(table).fetch_one(&desk.database).await.unwrap() >= count;
    wait_until("transactions wait for the table", blocked).await;
}
