//! Claims of jobs. A claim gives one worker a lease: until it expires, no other worker can claim the job. The fence
//! number grows with each claim. A worker names its fence number when it settles an attempt (stores the result), so a
//! worker that lost its lease settles nothing.

use std::time::Duration;

use serde_json::Value;
use sqlx_macros::FromRow;

use super::millis;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::JobId;
use crate::domain::work::job::Lane;
use crate::domain::work::outcome::Outcome;
use crate::store::{Conn, StoreError};

#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Claimed {
    pub(super) id: JobId,
    lane: Lane,
    pub kind: String,
    /// A [`Work`](crate::domain::work::job::Work) as JSON.
    pub payload: Value,
    /// The fence number: the number of this claim of the job. The settlement must name it.
    pub fence: i64,
    /// How many attempts count towards the limit of the retry policy, this one included.
    pub attempts: i32,
    /// How many attempts have an unknown outcome.
    pub unclear: i32,
    /// True if, after the last attempt with an unknown outcome, a look-up at the gateway found no trace of it.
    pub told_absent: bool,
    /// True if an earlier claim of the job was not settled before its lease expired.
    pub taken_over: bool,
    pub created_at: Instant,
    /// Milliseconds since `created_at`, by the database's clock.
    pub age_ms: i64,
    /// The `traceparent` of the request that enqueued the job.
    pub trace: Option<String>,
}

impl Claimed {
    #[must_use]
    pub const fn id(&self) -> JobId {
        self.id
    }

    /// Time since the job was enqueued, by the database's clock.
    #[must_use]
    pub fn age(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.age_ms).unwrap_or(0))
    }

    #[must_use]
    pub fn lane(&self) -> Lane {
        self.lane.clone()
    }

    #[must_use]
    pub fn lane_name(&self) -> &str {
        self.lane.as_str()
    }
}

/// Claims at most `at_most` of these jobs, the oldest first. Only jobs that are due and free are claimed. A claim
/// begins an attempt, and the row of the attempt is written when the attempt ends.
///
/// If an earlier lease of a job expired, its worker never settled the attempt. This statement then stores that attempt
/// as `lost`, and counts it as an attempt with an unknown outcome.
pub async fn claim(
    conn: &mut Conn,
    jobs: &[JobId],
    at_most: usize,
    worker: &str,
    lease: Duration,
) -> Result<Vec<Claimed>, StoreError> {
    let sql = "with free as (
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
                  f.was_held as taken_over, (extract(epoch from now() - j.created_at) * 1000)::bigint as age_ms";
    let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
    let query =
        sqlx::query_as(sql).bind(jobs).bind(worker).bind(millis(lease)).bind(at_most).bind(Outcome::Lost.as_str());
    Ok(query.fetch_all(conn).await?)
}
