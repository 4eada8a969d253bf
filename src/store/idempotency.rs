//! Stored answers to requests that carried an `Idempotency-Key`. An answer repeats what it is about, so its body is sealed.

use chrono::TimeDelta;
use serde_json::Value;
use sqlx::FromRow;

use super::{Conn, KeyRing, StoreError};
use crate::domain::kernel::clock::Instant;

/// An answer as stored, with the fingerprint of its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// SHA-256 of the canonical request.
    pub fingerprint: Vec<u8>,
    /// How the answer is given, as the caller noted it.
    pub form: Value,
    pub body: Value,
}

impl Stored {
    pub(super) fn seal_body(&self, keys: &KeyRing) -> Result<Vec<u8>, StoreError> {
        keys.seal_json(BODY, &self.body)
    }
}

const BODY: &str = "idempotent_answers.body";

/// Answers are kept this long; a key may be used anew afterwards.
pub const KEPT: TimeDelta = TimeDelta::days(30);

#[derive(FromRow)]
struct Row {
    fingerprint: Vec<u8>,
    form: Value,
    body_sealed: Vec<u8>,
    created_at: Instant,
}

impl Row {
    fn open(self, keys: &KeyRing) -> Result<Stored, StoreError> {
        let body = keys.open_json(BODY, &self.body_sealed)?;
        Ok(Stored { fingerprint: self.fingerprint, form: self.form, body })
    }
}

/// Takes the lock of a key for this transaction, if no other holds it.
///
/// # Errors
/// When the database fails.
pub async fn try_lock(conn: &mut Conn, scope: &str, key: &str) -> Result<bool, StoreError> {
    // Two keys whose hashes collide only make one of them try again.
    const SQL: &str = "select pg_try_advisory_xact_lock(hashtextextended($1 || chr(10) || $2, 0))";
    Ok(sqlx::query_scalar(SQL).bind(scope).bind(key).fetch_one(conn).await?)
}

/// Finds the answer that is kept under a key. By the key alone: on an empty table the index of ages would do as well, and the
/// plan that is made then would read everything ever after.
///
/// # Errors
/// When the database fails.
pub async fn find(
    conn: &mut Conn,
    keys: &KeyRing,
    (scope, key): (&str, &str),
    now: Instant,
) -> Result<Option<Stored>, StoreError> {
    const SQL: &str = "select fingerprint, form, body_sealed, created_at from idempotent_answers
        where scope = $1 and key = $2";
    let row: Option<Row> = sqlx::query_as(SQL).bind(scope).bind(key).fetch_optional(conn).await?;
    row.filter(|row| row.created_at >= now - KEPT).map(|row| row.open(keys)).transpose()
}

/// Drops up to `limit` answers older than `before`; says how many.
///
/// # Errors
/// When the database fails.
pub async fn forget(conn: &mut Conn, before: Instant, limit: i64) -> Result<u64, StoreError> {
    const SQL: &str = "delete from idempotent_answers where created_at < $1 and ctid = any (array(
        select ctid from idempotent_answers where created_at < $1 order by created_at limit $2))";
    Ok(sqlx::query(SQL).bind(before).bind(limit).execute(conn).await?.rows_affected())
}
