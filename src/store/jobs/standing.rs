//! How the lanes stand at a moment, for people's eyes: what waits, what is under way, what was given up.

use sqlx::FromRow;

use crate::domain::work::job::Lane;
use crate::store::{Conn, StoreError};

/// How one lane stands.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Standing {
    /// Which lane.
    pub lane: String,
    /// Jobs that could be done now, and are not begun.
    pub due: i64,
    /// Jobs that wait for their time.
    pub later: i64,
    /// Jobs that a worker holds.
    pub running: i64,
    /// Dead letters.
    pub dead: i64,
    /// For how many seconds the oldest of those that are due has been due.
    pub oldest_due: Option<f64>,
}

/// How these lanes stand. Of each no more than the first `most` jobs are looked at that were never offered, those that
/// were, and those that died: what is done is never looked at, and what is beyond that is more than an eye can tell.
///
/// # Errors
/// When the database is unavailable.
pub async fn standing(conn: &mut Conn, lanes: &[Lane], most: i64) -> Result<Vec<Standing>, StoreError> {
    let lanes: Vec<&str> = lanes.iter().map(Lane::as_str).collect();
    let rows = sqlx::query_as(
        "select name as lane,
                count(*) filter (where free and due_at <= now()) as due,
                count(*) filter (where free and due_at > now()) as later,
                count(*) filter (where not free) as running,
                (select count(*) from (
                    select 1 from jobs where lane = name and state = 'dead' limit $2) given_up) as dead,
                extract(epoch from now() - min(due_at) filter (where free and due_at <= now()))::float8 as oldest_due
         from unnest($1::text[]) with ordinality as lanes (name, place)
         left join lateral (
            select due_at, lease_until is null or lease_until <= now() as free from (
                (select due_at, lease_until from jobs
                 where lane = name and state = 'pending' and offered_at is null order by due_at limit $2)
                union all
                (select due_at, lease_until from jobs
                 where lane = name and state = 'pending' and offered_at is not null order by offered_at limit $2)
            ) pending) job on true
         group by name, place order by place",
    )
    .bind(lanes)
    .bind(most)
    .fetch_all(conn)
    .await?;
    Ok(rows)
}
