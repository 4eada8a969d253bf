//! Counts of jobs per lane at one moment, for people who watch: waiting, under way, given up.

use sqlx::FromRow;

use crate::domain::work::job::Lane;
use crate::store::{Conn, StoreError};

/// Counts of one lane's jobs.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct LaneCounts {
    pub lane: String,
    /// Jobs that could be claimed now.
    pub due: i64,
    /// Jobs whose time has not come.
    pub later: i64,
    /// Jobs that a worker holds.
    pub running: i64,
    /// Dead letters.
    pub dead: i64,
    /// Seconds for which the oldest due job has been due.
    pub oldest_due: Option<f64>,
}

/// Counts the jobs of these lanes. At most `most` jobs of each lane are read of those never offered, of those offered,
/// and of the dead ones. Done jobs are never read.
pub async fn lane_counts(conn: &mut Conn, lanes: &[Lane], most: i64) -> Result<Vec<LaneCounts>, StoreError> {
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
