//! The log of changes of each person. It names the data that the person's clients should read again, numbered in the
//! order of commits.
//!
//! Without a lock, a transaction could number a change early and commit it late. A client that has already read a later
//! number would miss that change. So a transaction takes the person's advisory lock before it numbers the person's
//! changes, and keeps the lock until its end.

use sqlx_macros::FromRow;
use uuid::Uuid;

use super::{Conn, StoreError};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::PersonId;

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Change {
    /// Position in the person's log.
    pub seq: i64,
    /// A [`ChangeKind`](super::record::ChangeKind): `case`, `notification`, `parcel` or `draft`. Or `all`, if changes up
    /// to this position were removed from the log.
    pub kind: String,
    /// The public id of the changed case, notification, parcel or draft; empty for `all`.
    pub subject: String,
    pub at: Instant,
}

/// Takes the advisory locks of these people until the end of the transaction. The order of the locks is always the
/// same, so that no deadlock is possible. [`super::record::save`] takes these locks itself.
pub async fn hold(conn: &mut Conn, people: impl IntoIterator<Item = PersonId>) -> Result<(), StoreError> {
    let mut people: Vec<Uuid> = people.into_iter().map(PersonId::uuid).collect();
    people.sort_unstable();
    people.dedup();
    if !people.is_empty() {
        let sql = "select pg_advisory_xact_lock(hashtextextended(id::text, 0))
                   from unnest($1::uuid[]) with ordinality as t (id, n) order by n";
        sqlx::query(sql).bind(people).execute(conn).await?;
    }
    Ok(())
}

/// Returns a person's changes after a position, the oldest first.
pub async fn after(conn: &mut Conn, person: PersonId, seq: i64, limit: i64) -> Result<Vec<Change>, StoreError> {
    let sql = "select seq, kind, subject, at from changes where person_id = $1 and seq > $2 order by seq limit $3";
    Ok(sqlx::query_as(sql).bind(person).bind(seq).bind(limit).fetch_all(conn).await?)
}

/// Returns the last position in a person's log, or 0 if the log is empty. After a client has read all of the person's
/// data, it needs only the changes after this position.
pub async fn latest(conn: &mut Conn, person: PersonId) -> Result<i64, StoreError> {
    let sql = "select max(seq) from changes where person_id = $1";
    let latest: Option<i64> = sqlx::query_scalar(sql).bind(person).fetch_one(conn).await?;
    Ok(latest.unwrap_or(0))
}

/// Returns the last positions in these people's logs. People with an empty log are left out.
pub async fn latest_of(conn: &mut Conn, people: &[PersonId]) -> Result<Vec<(PersonId, i64)>, StoreError> {
    let sql = "select id, seq from unnest($1::uuid[]) as t (id),
                      lateral (select seq from changes where person_id = id order by seq desc limit 1) last";
    Ok(sqlx::query_as(sql).bind(people).fetch_all(conn).await?)
}

/// Removes about `limit` changes from before an instant. Returns how many. The last change that is removed from a person's
/// log becomes one of kind `all`: a client that had not read this far misses changes, so it must read everything again.
pub async fn forget(conn: &mut Conn, before: Instant, limit: i64) -> Result<u64, StoreError> {
    let sql = "with old as materialized (
                   select person_id, seq from changes where kind <> 'all' and at < $1 order by at limit $2
               ), last as materialized (
                   select person_id, max(seq) as seq from old group by person_id
               ), marked as (
                   update changes c set kind = 'all', subject = ''
                   from last where c.person_id = last.person_id and c.seq = last.seq
               ), gone as (
                   delete from changes c using last where c.person_id = last.person_id and c.seq < last.seq
               )
               select count(*) from old";
    let removed: i64 = sqlx::query_scalar(sql).bind(before).bind(limit).fetch_one(conn).await?;
    Ok(removed.unsigned_abs())
}
