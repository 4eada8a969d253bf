//! Stored answers to requests that carried an `Idempotency-Key`. An answer repeats what it is about, so its body is sealed.

use serde_json::Value;
use sqlx::types::Json;

use super::{Conn, KeyRing, StoreError};
use crate::domain::clock::Instant;

/// An answer as stored, with the fingerprint of its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// SHA-256 of the canonical request.
    pub fingerprint: Vec<u8>,
    /// The HTTP status.
    pub status: u16,
    /// Name and value.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Value,
}

const BODY: &str = "idempotent_answers.body";

#[derive(sqlx::FromRow)]
struct Row {
    fingerprint: Vec<u8>,
    status: i16,
    headers: Json<Vec<(String, String)>>,
    body: Option<Json<Value>>,
    body_sealed: Option<Vec<u8>>,
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

/// Finds an answer that is not older than `since`.
///
/// # Errors
/// When the database fails.
pub async fn find(
    conn: &mut Conn,
    keys: &KeyRing,
    scope: &str,
    key: &str,
    since: Instant,
) -> Result<Option<Stored>, StoreError> {
    const SQL: &str = "select fingerprint, status, headers, body, body_sealed from idempotent_answers
        where scope = $1 and key = $2 and created_at >= $3";
    let row: Option<Row> = sqlx::query_as(SQL).bind(scope).bind(key).bind(since).fetch_optional(conn).await?;
    row.map(|row| {
        let status = u16::try_from(row.status).map_err(|_| StoreError::Broken("a negative status".to_owned()))?;
        let body = match row.body_sealed {
            Some(sealed) => keys.open_json(BODY, &sealed)?,
            None => row.body.map(|body| body.0).unwrap_or_default(),
        };
        Ok(Stored { fingerprint: row.fingerprint, status, headers: row.headers.0, body })
    })
    .transpose()
}

/// Stores an answer, in place of one that is too old to be found.
///
/// # Errors
/// When the database fails.
pub async fn save(
    conn: &mut Conn,
    keys: &KeyRing,
    scope: &str,
    key: &str,
    stored: &Stored,
    now: Instant,
) -> Result<(), StoreError> {
    const SQL: &str =
        "insert into idempotent_answers (scope, key, fingerprint, status, headers, body_sealed, created_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (scope, key) do update set fingerprint = excluded.fingerprint, status = excluded.status,
            headers = excluded.headers, body = null, body_sealed = excluded.body_sealed,
            created_at = excluded.created_at";
    let status = i16::try_from(stored.status).map_err(|_| StoreError::Broken("no such status".to_owned()))?;
    sqlx::query(SQL)
        .bind(scope)
        .bind(key)
        .bind(&stored.fingerprint)
        .bind(status)
        .bind(Json(&stored.headers))
        .bind(keys.seal_json(BODY, &stored.body)?)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Drops up to `limit` answers older than `before`; says how many.
///
/// # Errors
/// When the database fails.
pub async fn forget(conn: &mut Conn, before: Instant, limit: i64) -> Result<u64, StoreError> {
    const SQL: &str = "delete from idempotent_answers where (scope, key) in
        (select scope, key from idempotent_answers where created_at < $1 order by created_at limit $2)";
    Ok(sqlx::query(SQL).bind(before).bind(limit).execute(conn).await?.rows_affected())
}
