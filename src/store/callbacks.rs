//! HTTP callbacks of carriers and push platforms, stored as they came. A worker interprets them later. A repeated
//! callback is stored once.

use aws_lc_rs::digest::{SHA256, digest};
use sqlx_macros::FromRow;

use super::{Conn, StoreError};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::CallbackId;
use crate::domain::kernel::private::Private;
use crate::store::seal::{Cell, KeyRing};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCall {
    /// The carrier or platform that sent the callback: `ems`, `sf`, `wechat`, …
    pub origin: String,
    pub content_type: String,
    /// The query string without `?`, and without personal data.
    pub query: String,
    pub body: Private<Vec<u8>>,
}

/// The place of a callback's sealed body.
fn body(id: CallbackId) -> Cell {
    Cell::of("callbacks.body", id.uuid())
}

/// Stores a callback. Returns false if the same callback is stored already.
pub async fn keep(
    conn: &mut Conn,
    keys: &KeyRing,
    id: CallbackId,
    call: &StoredCall,
    now: Instant,
) -> Result<bool, StoreError> {
    let mut all = Vec::new();
    for part in [call.origin.as_bytes(), call.query.as_bytes(), call.body.expose()] {
        all.extend_from_slice(&(part.len() as u64).to_be_bytes());
        all.extend_from_slice(part);
    }
    let sql = "insert into callbacks (id, origin, dedup_key, content_type, query, body_sealed, received_at)
               values ($1, $2, $3, $4, $5, $6, $7) on conflict on constraint callbacks_once do nothing";
    let done = sqlx::query(sql)
        .bind(id)
        .bind(&call.origin)
        .bind(digest(&SHA256, &all).as_ref())
        .bind(&call.content_type)
        .bind(&call.query)
        .bind(keys.seal(&body(id), call.body.expose())?)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn find(conn: &mut Conn, keys: &KeyRing, id: CallbackId) -> Result<Option<StoredCall>, StoreError> {
    #[derive(FromRow)]
    struct Row {
        origin: String,
        content_type: String,
        query: String,
        body_sealed: Vec<u8>,
    }
    let sql = "select origin, content_type, query, body_sealed from callbacks where id = $1";
    let row: Option<Row> = sqlx::query_as(sql).bind(id).fetch_optional(conn).await?;
    let open = |Row { origin, content_type, query, body_sealed }| {
        let body = Private::new(keys.open(&body(id), &body_sealed)?);
        Ok(StoredCall { origin, content_type, query, body })
    };
    row.map(open).transpose()
}

/// Stores a summary of what a callback contained, in up to 500 characters.
pub async fn understood(conn: &mut Conn, id: CallbackId, outcome: &str) -> Result<(), StoreError> {
    let sql = "update callbacks set outcome = left($2, 500) where id = $1";
    sqlx::query(sql).bind(id).bind(outcome).execute(conn).await?;
    Ok(())
}

/// Removes up to `limit` calls that were received before an instant. Returns how many.
pub async fn forget(conn: &mut Conn, received_before: Instant, limit: i64) -> Result<u64, StoreError> {
    let sql = "delete from callbacks where id = any (array(
                   select id from callbacks where received_at < $1 order by received_at limit $2))";
    Ok(sqlx::query(sql).bind(received_before).bind(limit).execute(conn).await?.rows_affected())
}
