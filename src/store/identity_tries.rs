//! Attempts at a real-name check (实名认证), which count against the limits of attempts per person. A successful attempt is
//! removed.

use uuid::Uuid;

use super::{Conn, StoreError};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::PersonId;

/// Returns the times of a person's attempts after an instant, the latest first. The caller has locked the person, so
/// that two requests cannot both use the last attempt that the limits allow.
pub async fn made_after(conn: &mut Conn, person: PersonId, after: Instant) -> Result<Vec<Instant>, StoreError> {
    let sql = "select at from identity_tries where person_id = $1 and at > $2 order by at desc";
    Ok(sqlx::query_scalar(sql).bind(person).bind(after).fetch_all(conn).await?)
}

pub async fn insert(conn: &mut Conn, id: Uuid, person: PersonId, now: Instant) -> Result<(), StoreError> {
    let sql = "insert into identity_tries (id, person_id, at) values ($1, $2, $3)";
    sqlx::query(sql).bind(id).bind(person).bind(now).execute(conn).await?;
    Ok(())
}

/// Removes an attempt, because it succeeded or was not carried out. It then no longer counts against the limits.
pub async fn remove(conn: &mut Conn, id: Uuid) -> Result<(), StoreError> {
    sqlx::query("delete from identity_tries where id = $1").bind(id).execute(conn).await?;
    Ok(())
}

/// Removes up to `limit` attempts from before an instant. Returns how many.
pub async fn forget(conn: &mut Conn, made_before: Instant, limit: i64) -> Result<u64, StoreError> {
    let sql = "delete from identity_tries where id = any (array(
                   select id from identity_tries where at < $1 order by at limit $2))";
    Ok(sqlx::query(sql).bind(made_before).bind(limit).execute(conn).await?.rows_affected())
}
