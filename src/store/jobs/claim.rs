//! Claiming: who holds a job, for how long, and under which fence.

use std::time::Duration;

use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use super::millis;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::JobId;
use crate::domain::work::job::Lane;
use crate::store::{Conn, StoreError};

/// A job that a worker holds.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Claimed {
    pub(super) id: Uuid,
    /// The lane it waited in.
    lane: String,
    /// Its kind.
    pub kind: String,
    /// Its work, as promised.
    pub payload: Value,
    /// Which claim this is: what settles it must name it.
    pub fence: i64,
    /// How many attempts count so far, this one included.
    pub attempts: i32,
    /// How many attempts ended in an outcome that nobody knows.
    pub unclear: i32,
    /// Whether a look-up found nothing since the last of those.
    pub told_absent: bool,
    /// Whether another held it before and never told how its attempt ended.
    pub taken_over: bool,
    /// When it was promised.
    pub created_at: Instant,
    /// How long ago that is, in milliseconds, by the database's clock.
    pub age_ms: i64,
    /// The `traceparent` of the request that promised it.
    pub trace: Option<String>,
}

impl Claimed {
    /// Which job.
    #[must_use]
    pub const fn id(&self) -> JobId {
        JobId::from_uuid(self.id)
    }

    /// How long ago it was promised.
    #[must_use]
    pub fn age(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.age_ms).unwrap_or(0))
    }

    /// The lane it waited in.
    #[must_use]
    pub fn lane(&self) -> Lane {
        Lane::from_stored(self.lane.clone())
    }

    /// The name of the lane it waited in.
    #[must_use]
    pub fn lane_name(&self) -> &str {
        &self.lane
    }
}

/// Claims those of these jobs that are due and that nobody holds, the oldest first and `at_most` so many: each claim begins
/// an attempt, which is written down when it ends.
///
/// A lease that ran out was held by a worker that never told how it ended: that attempt is written down as `lost`, and
/// counts as unclear.
///
/// # Errors
/// When the database is unavailable.
pub async fn claim(
    conn: &mut Conn,
    jobs: &[JobId],
    at_most: usize,
    worker: &str,
    lease: Duration,
) -> Result<Vec<Claimed>, StoreError> {
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.uuid()).collect();
    let claimed = sqlx::query_as(
        "with free as (
            select id, fence, worker, claimed_at, lease_until is not null as was_held from jobs
            where id = any($1) and state = 'pending' and due_at <= now() and (lease_until is null or lease_until < now())
            order by id limit $4 for update skip locked
        ), lost as (
            insert into attempts (job_id, fence, worker, started_at, ended_at, outcome)
            select id, fence, worker, claimed_at, now(), 'lost' from free where was_held
        )
        update jobs j
        set fence = j.fence + 1, attempts = j.attempts + 1, unclear = j.unclear + f.was_held::int,
            told_absent = j.told_absent and not f.was_held,
            lease_until = now() + $3 * interval '1 millisecond', worker = $2, claimed_at = now()
        from free f where j.id = f.id
        returning j.id, j.lane, j.kind, j.payload, j.fence, j.attempts, j.unclear, j.told_absent, j.created_at, j.trace,
                  f.was_held as taken_over, (extract(epoch from now() - j.created_at) * 1000)::bigint as age_ms",
    )
    .bind(ids)
    .bind(worker)
    .bind(millis(lease))
    .bind(i64::try_from(at_most).unwrap_or(i64::MAX))
    .fetch_all(conn)
    .await?;
    Ok(claimed)
}
