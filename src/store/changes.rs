//! What a person's clients should look at again, numbered in the order of commits.
//!
//! A number drawn early may commit late; a client that read past it would miss it. So whoever numbers a person's
//! changes first takes that person's advisory lock, until the end of the transaction.

use sqlx::FromRow;
use uuid::Uuid;

use super::{Conn, StoreError};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::PersonId;

/// One thing to look at again.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Change {
    /// Its place in the person's log.
    pub seq: i64,
    /// `case`, `notification`, `parcel`.
    pub kind: String,
    /// The thing's public id.
    pub subject: String,
    /// When it changed.
    pub at: Instant,
}

/// Takes the advisory locks of these people, in an order that cannot deadlock. What is saved as a record takes them itself
/// ([`super::record::save`]).
///
/// # Errors
/// When the database is unavailable.
pub async fn hold(conn: &mut Conn, people: impl IntoIterator<Item = PersonId>) -> Result<(), StoreError> {
    let mut people: Vec<Uuid> = people.into_iter().map(PersonId::uuid).collect();
    people.sort_unstable();
    people.dedup();
    if people.is_empty() {
        return Ok(());
    }
    sqlx::query("select pg_advisory_xact_lock(hashtextextended(id::text, 0)) from unnest($1::uuid[]) with ordinality as t (id, n) order by n")
        .bind(people)
        .execute(conn)
        .await?;
    Ok(())
}

/// A person's changes after a place in the log, oldest first.
///
/// # Errors
/// When the database is unavailable.
pub async fn after(conn: &mut Conn, person: PersonId, seq: i64, limit: i64) -> Result<Vec<Change>, StoreError> {
    let changes = sqlx::query_as(
        "select seq, kind, subject, at from changes where person_id = $1 and seq > $2 order by seq limit $3",
    )
    .bind(person.uuid())
    .bind(seq)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(changes)
}

/// The end of a person's log: where a client that has just read everything continues.
///
/// # Errors
/// When the database is unavailable.
pub async fn latest(conn: &mut Conn, person: PersonId) -> Result<i64, StoreError> {
    let latest: Option<i64> = sqlx::query_scalar("select max(seq) from changes where person_id = $1")
        .bind(person.uuid())
        .fetch_one(conn)
        .await?;
    Ok(latest.unwrap_or(0))
}

/// The ends of these people's logs; those who have none are left out.
///
/// # Errors
/// When the database is unavailable.
pub async fn latest_of(conn: &mut Conn, people: &[PersonId]) -> Result<Vec<(PersonId, i64)>, StoreError> {
    let ids: Vec<Uuid> = people.iter().map(|person| person.uuid()).collect();
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "select id, seq from unnest($1::uuid[]) as t (id),
                lateral (select seq from changes where person_id = id order by seq desc limit 1) last",
    )
    .bind(ids)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id, seq)| (PersonId::from_uuid(id), seq)).collect())
}
