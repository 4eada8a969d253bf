//! Counts the jobs of each lane (the queue of one gateway) at one moment, for metrics and `songda top`.

use sqlx_macros::FromRow;

use crate::domain::work::job::Lane;
use crate::store::{Conn, StoreError};

#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct LaneCounts {
    pub lane: String,
    /// Jobs that could be claimed now.
    pub due: i64,
    /// Jobs that are due later.
    pub later: i64,
    /// Jobs that a worker has claimed.
    pub running: i64,
    /// Jobs that were given up (dead letters).
    pub dead: i64,
    /// How many seconds the oldest due job has been due; `None` if no job is due.
    pub oldest_due: Option<f64>,
}

/// Counts the jobs of these lanes. Of each lane it reads at most `most` pending jobs that were never offered, `most`
/// pending jobs that were offered, and `most` dead jobs. It reads no done jobs.
pub async fn lane_counts(conn: &mut Conn, lanes: &[Lane], most: i64) -> Result<Vec<LaneCounts>, StoreError> {
    let sql = "select name as lane,
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
         group by name, place order by place";
    Ok(sqlx::query_as(sql).bind(lanes).bind(most).fetch_all(conn).await?)
}
