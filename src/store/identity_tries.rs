//! Real-name checks that were asked for, and are not known to have been right.

use uuid::Uuid;

use super::{Conn, StoreError};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::PersonId;

/// When a person asked after an instant, latest first. The person is held, so that two requests cannot both be the last
/// within the limits.
///
/// # Errors
/// When the database is unavailable.
pub async fn made_after(conn: &mut Conn, person: PersonId, after: Instant) -> Result<Vec<Instant>, StoreError> {
    let made = sqlx::query_scalar("select at from identity_tries where person_id = $1 and at > $2 order by at desc")
        .bind(person.uuid())
        .bind(after)
        .fetch_all(conn)
        .await?;
    Ok(made)
}

/// Adds one.
///
/// # Errors
/// When the database is unavailable.
pub async fn insert(conn: &mut Conn, id: Uuid, person: PersonId, now: Instant) -> Result<(), StoreError> {
    sqlx::query("insert into identity_tries (id, person_id, at) values ($1, $2, $3)")
        .bind(id)
        .bind(person.uuid())
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes one back: it was right, or nobody compared anything.
///
/// # Errors
/// When the database is unavailable.
pub async fn remove(conn: &mut Conn, id: Uuid) -> Result<(), StoreError> {
    sqlx::query("delete from identity_tries where id = $1").bind(id).execute(conn).await?;
    Ok(())
}

/// Forgets up to `limit` that were made before an instant; says how many.
///
/// # Errors
/// When the database is unavailable.
pub async fn forget(conn: &mut Conn, made_before: Instant, limit: i64) -> Result<u64, StoreError> {
    const SQL: &str = "delete from identity_tries where id = any (array(
            select id from identity_tries where at < $1 order by at limit $2))";
    Ok(sqlx::query(SQL).bind(made_before).bind(limit).execute(conn).await?.rows_affected())
}
