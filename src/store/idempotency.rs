//! Stored answers to requests with an `Idempotency-Key`: a repeated request gets the same answer again. An answer
//! contains personal data, so its body is sealed (encrypted).

use chrono::TimeDelta;
use serde_json::Value;
use sqlx_macros::FromRow;

use super::seal::Cell;
use super::{Conn, KeyRing, StoreError};
use crate::domain::kernel::clock::Instant;

/// The name under which an answer is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerKey<'a> {
    /// Caller and operation: `per_…:submit_case`.
    pub scope: &'a str,
    /// The caller's `Idempotency-Key`.
    pub key: &'a str,
}

impl AnswerKey<'_> {
    /// The place of the answer's sealed body.
    fn body(self) -> Cell {
        Cell::keyed("idempotent_answers.body", &[self.scope.as_bytes(), self.key.as_bytes()])
    }
}

/// A stored answer, and the fingerprint of its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// SHA-256 of the canonical request.
    pub fingerprint: Vec<u8>,
    /// The API's own data about the answer (status, headers), stored and returned unchanged.
    pub form: Value,
    pub body: Value,
}

impl StoredAnswer {
    pub(super) fn seal_body(&self, keys: &KeyRing, key: AnswerKey<'_>) -> Result<Vec<u8>, StoreError> {
        keys.seal_json(&key.body(), &self.body)
    }
}

/// How long an answer is stored. After that its key can be used again.
pub const KEPT: TimeDelta = TimeDelta::days(30);

#[derive(FromRow)]
struct Row {
    fingerprint: Vec<u8>,
    form: Value,
    body_sealed: Vec<u8>,
    created_at: Instant,
}

impl Row {
    fn open(self, keys: &KeyRing, key: AnswerKey<'_>) -> Result<StoredAnswer, StoreError> {
        let body = keys.open_json(&key.body(), &self.body_sealed)?;
        Ok(StoredAnswer { fingerprint: self.fingerprint, form: self.form, body })
    }
}

/// Takes the lock of a key for this transaction. Returns false if another transaction has the lock.
pub async fn try_lock(conn: &mut Conn, AnswerKey { scope, key }: AnswerKey<'_>) -> Result<bool, StoreError> {
    // If the hashes of two keys collide, no harm is done: one of the two clients is asked to try again.
    let sql = "select pg_try_advisory_xact_lock(hashtextextended($1 || chr(10) || $2, 0))";
    Ok(sqlx::query_scalar(sql).bind(scope).bind(key).fetch_one(conn).await?)
}

/// Finds the answer that is stored under a key. The statement selects by key only, and the age is checked afterwards.
/// If the statement selected by age too, PostgreSQL could choose the index on the age while the table is empty. It
/// would keep this plan when the table has grown, and read all rows each time.
pub async fn find(
    conn: &mut Conn,
    keys: &KeyRing,
    name: AnswerKey<'_>,
    now: Instant,
) -> Result<Option<StoredAnswer>, StoreError> {
    let sql = "select fingerprint, form, body_sealed, created_at from idempotent_answers
               where scope = $1 and key = $2";
    let row: Option<Row> = sqlx::query_as(sql).bind(name.scope).bind(name.key).fetch_optional(conn).await?;
    row.filter(|row| row.created_at >= now - KEPT).map(|row| row.open(keys, name)).transpose()
}

/// Removes up to `limit` answers that are older than `before`. Returns how many.
pub async fn forget(conn: &mut Conn, before: Instant, limit: i64) -> Result<u64, StoreError> {
    let sql = "delete from idempotent_answers where created_at < $1 and ctid = any (array(
                   select ctid from idempotent_answers where created_at < $1 order by created_at limit $2))";
    Ok(sqlx::query(sql).bind(before).bind(limit).execute(conn).await?.rows_affected())
}
