//! Good and bad sign-ins of officers, by name and network. A name is stored as its keyed hash: people type passwords into
//! the wrong field. A name need not belong to an account, so that a delay does not show which names do.

use super::{Conn, KeyRing, StoreError};
use crate::domain::kernel::clock::Instant;
use crate::domain::people::guesses::SignIns;
use crate::domain::people::staff::Username;

/// The row of a name and a network.
pub struct SignInKey {
    name_hash: Vec<u8>,
    network: String,
}

impl SignInKey {
    #[must_use]
    pub fn new(keys: &KeyRing, username: &Username, network: &str) -> Self {
        let name_hash = keys.hash("officer_sign_ins.name", username.as_str());
        Self { name_hash, network: network.to_owned() }
    }
}

/// Reads and locks the sign-ins with a name from a network, so that parallel guesses are counted one after the other.
pub async fn hold(conn: &mut Conn, key: &SignInKey, now: Instant) -> Result<SignIns, StoreError> {
    let sql = "insert into officer_sign_ins (name_hash, network, changed_at) values ($1, $2, $3)
               on conflict do nothing";
    sqlx::query(sql).bind(&key.name_hash).bind(&key.network).bind(now).execute(&mut *conn).await?;
    let sql = "select failures, failed_at, succeeded_at from officer_sign_ins
               where name_hash = $1 and network = $2 for update";
    let row: Option<(i32, Option<Instant>, Option<Instant>)> =
        sqlx::query_as(sql).bind(&key.name_hash).bind(&key.network).fetch_optional(conn).await?;
    Ok(row.map_or_else(SignIns::default, |(failures, failed_at, succeeded_at)| SignIns {
        failures: u32::try_from(failures).unwrap_or(0),
        failed_at,
        succeeded_at,
    }))
}

pub async fn save(conn: &mut Conn, key: &SignInKey, sign_ins: &SignIns, now: Instant) -> Result<(), StoreError> {
    let sql = "insert into officer_sign_ins (name_hash, network, failures, failed_at, succeeded_at, changed_at)
               values ($1, $2, $3, $4, $5, $6)
               on conflict (name_hash, network) do update
               set failures = excluded.failures, failed_at = excluded.failed_at, succeeded_at = excluded.succeeded_at,
                   changed_at = excluded.changed_at";
    sqlx::query(sql)
        .bind(&key.name_hash)
        .bind(&key.network)
        .bind(i32::try_from(sign_ins.failures).unwrap_or(i32::MAX))
        .bind(sign_ins.failed_at)
        .bind(sign_ins.succeeded_at)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes up to `limit` rows that last changed before an instant. Returns their number.
pub async fn forget(conn: &mut Conn, before: Instant, limit: i64) -> Result<u64, StoreError> {
    let sql = "delete from officer_sign_ins where (name_hash, network) in (
                   select name_hash, network from officer_sign_ins where changed_at < $1 order by changed_at limit $2
               )";
    Ok(sqlx::query(sql).bind(before).bind(limit).execute(conn).await?.rows_affected())
}

/// Like [`forget`], for names and networks without a good sign-in.
pub async fn forget_failed(conn: &mut Conn, before: Instant, limit: i64) -> Result<u64, StoreError> {
    let sql = "delete from officer_sign_ins where (name_hash, network) in (
                   select name_hash, network from officer_sign_ins
                   where succeeded_at is null and changed_at < $1 order by changed_at limit $2
               )";
    Ok(sqlx::query(sql).bind(before).bind(limit).execute(conn).await?.rows_affected())
}
