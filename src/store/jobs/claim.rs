//! Claiming jobs: a worker holds a job under a lease and a fence.

use std::time::Duration;

use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use super::millis;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::JobId;
use crate::domain::work::job::Lane;
use crate::domain::work::outcome::Outcome;
use crate::store::{Conn, StoreError};

#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Claimed {
    pub(super) id: Uuid,
    lane: String,
    pub kind: String,
    /// A [`Work`](crate::domain::job::Work) as JSON.
    pub payload: Value,
    /// Number of this claim. A settlement must name it.
    pub fence: i64,
    /// Attempts that count towards the cap, this one included.
    pub attempts: i32,
    /// Attempts whose outcome is unknown.
    pub unclear: i32,
    /// True if a look-up found nothing since the last attempt with an unknown outcome.
    pub told_absent: bool,
    /// True if the lease of another worker ran out before it settled.
    pub taken_over: bool,
    pub created_at: Instant,
    /// Milliseconds since `created_at`, by the database's clock.
    pub age_ms: i64,
    /// The `traceparent` of the request that enqueued it.
    pub trace: Option<String>,
}

impl Claimed {
    #[must_use]
    pub const fn id(&self) -> JobId {
        JobId::from_uuid(self.id)
    }

    /// Time since it was enqueued, by the database's clock.
    #[must_use]
    pub fn age(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.age_ms).unwrap_or(0))
    }

    #[must_use]
    pub fn lane(&self) -> Lane {
        Lane::from_stored(self.lane.clone())
    }

    #[must_use]
    pub fn lane_name(&self) -> &str {
        &self.lane
    }
}

/// Claims the free jobs among these that are due, the oldest first, and at most `at_most`. Each claim begins an
/// attempt, which is written when it ends.
///
/// A lease that ran out was held by a worker that never settled. Its attempt is written as `lost`, and counts as one
/// whose outcome is unknown.
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
            select id, fence, worker, claimed_at, now(), $5 from free where was_held
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
    .bind(Outcome::Lost.as_str())
    .fetch_all(conn)
    .await?;
    Ok(claimed)
}
