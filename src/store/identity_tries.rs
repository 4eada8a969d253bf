//! Real-name checks that were requested and are not known to have succeeded.

use uuid::Uuid;

use super::{Conn, StoreError};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::PersonId;

/// Times of a person's checks after an instant, the latest first. The caller holds the person, so that two requests
/// cannot both use the last check within the limits.
pub async fn made_after(conn: &mut Conn, person: PersonId, after: Instant) -> Result<Vec<Instant>, StoreError> {
    let made = sqlx::query_scalar("select at from identity_tries where person_id = $1 and at > $2 order by at desc")
        .bind(person.uuid())
        .bind(after)
        .fetch_all(conn)
        .await?;
    Ok(made)
}

pub async fn insert(conn: &mut Conn, id: Uuid, person: PersonId, now: Instant) -> Result<(), StoreError> {
    sqlx::query("insert into identity_tries (id, person_id, at) values ($1, $2, $3)")
        .bind(id)
        .bind(person.uuid())
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes a check from the count: it succeeded, or it was not carried out.
pub async fn remove(conn: &mut Conn, id: Uuid) -> Result<(), StoreError> {
    sqlx::query("delete from identity_tries where id = $1").bind(id).execute(conn).await?;
    Ok(())
}

/// Forgets up to `limit` checks that were made before an instant. Returns how many.
pub async fn forget(conn: &mut Conn, made_before: Instant, limit: i64) -> Result<u64, StoreError> {
    const SQL: &str = "delete from identity_tries where id = any (array(
            select id from identity_tries where at < $1 order by at limit $2))";
    Ok(sqlx::query(SQL).bind(made_before).bind(limit).execute(conn).await?.rows_affected())
}
