//! Stored answers to requests that carried an `Idempotency-Key`. An answer repeats what it is about, so its body is sealed.

use chrono::TimeDelta;
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{FromRow, Row as _};

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

impl Stored {
    /// The status as a column holds it.
    pub(super) fn status_code(&self) -> Result<i16, StoreError> {
        i16::try_from(self.status).map_err(|_| StoreError::Broken("no such status".to_owned()))
    }

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
    status: i16,
    headers: Json<Vec<(String, String)>>,
    body: Option<Json<Value>>,
    body_sealed: Option<Vec<u8>>,
}

impl Row {
    fn open(self, keys: &KeyRing) -> Result<Stored, StoreError> {
        let status = u16::try_from(self.status).map_err(|_| StoreError::Broken("a negative status".to_owned()))?;
        let body = match self.body_sealed {
            Some(sealed) => keys.open_json(BODY, &sealed)?,
            None => self.body.map(|body| body.0).unwrap_or_default(),
        };
        Ok(Stored { fingerprint: self.fingerprint, status, headers: self.headers.0, body })
    }
}

/// What is known of a key.
pub struct Known {
    /// Whether no other transaction is at work under it: then this one is, until it ends.
    pub is_free: bool,
    /// The answer that is kept under it.
    pub stored: Option<Stored>,
}

/// Takes the lock of a key for this transaction, if no other holds it, and finds the answer that is kept under it.
///
/// The one who had the lock may commit after this has looked and before it has the lock. Then nothing is found, and the
/// answer cannot be kept in the end ([`save`]): the row decides, the lock only spares others the work.
///
/// # Errors
/// When the database fails.
pub async fn enter(
    conn: &mut Conn,
    keys: &KeyRing,
    (scope, key): (&str, &str),
    now: Instant,
) -> Result<Known, StoreError> {
    // Two keys whose hashes collide only make one of them try again.
    const SQL: &str = "select pg_try_advisory_xact_lock(hashtextextended($1 || chr(10) || $2, 0)) as is_free,
            fingerprint, status, headers, body, body_sealed, created_at
        from (values (1)) as asked left join idempotent_answers on scope = $1 and key = $2";
    let row = sqlx::query(SQL).bind(scope).bind(key).fetch_one(conn).await?;
    let stored = match row.try_get::<Option<Instant>, _>("created_at")? {
        Some(created_at) if created_at >= now - KEPT => Some(Row::from_row(&row)?.open(keys)?),
        _ => None,
    };
    Ok(Known { is_free: row.try_get("is_free")?, stored })
}

/// Stores an answer, in place of one that is too old to be found; says whether it could, which it cannot if another answer
/// was stored since it was looked for.
///
/// # Errors
/// When the database fails.
pub async fn save(
    conn: &mut Conn,
    keys: &KeyRing,
    (scope, key): (&str, &str),
    stored: &Stored,
    now: Instant,
) -> Result<bool, StoreError> {
    const SQL: &str =
        "insert into idempotent_answers as a (scope, key, fingerprint, status, headers, body_sealed, created_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (scope, key) do update set fingerprint = excluded.fingerprint, status = excluded.status,
            headers = excluded.headers, body = null, body_sealed = excluded.body_sealed,
            created_at = excluded.created_at
        where a.created_at < $8";
    let done = sqlx::query(SQL)
        .bind(scope)
        .bind(key)
        .bind(&stored.fingerprint)
        .bind(stored.status_code()?)
        .bind(Json(&stored.headers))
        .bind(stored.seal_body(keys)?)
        .bind(now)
        .bind(now - KEPT)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Drops up to `limit` answers older than `before`; says how many.
///
/// # Errors
/// When the database fails.
pub async fn forget(conn: &mut Conn, before: Instant, limit: i64) -> Result<u64, StoreError> {
    const SQL: &str = "delete from idempotent_answers where ctid = any (array(
        select ctid from idempotent_answers where created_at < $1 order by created_at limit $2))";
    Ok(sqlx::query(SQL).bind(before).bind(limit).execute(conn).await?.rows_affected())
}
