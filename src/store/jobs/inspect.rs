//! Jobs and attempts as operators see them.

use sqlx::FromRow;
use uuid::Uuid;

use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::JobId;
use crate::domain::work::job::Lane;
use crate::store::{Conn, StoreError};

#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct JobRow {
    id: Uuid,
    pub lane: String,
    pub kind: String,
    /// Business key.
    pub key: String,
    /// `pending`, `done` or `dead`.
    pub state: String,
    pub due_at: Instant,
    /// Attempts that count towards the cap.
    pub attempts: i32,
    /// Why it waits or died, in the gateway's words.
    pub cause: Option<String>,
    pub created_at: Instant,
    /// When it was done or given up.
    pub finished_at: Option<Instant>,
    /// The worker that holds it.
    pub worker: Option<String>,
}

impl JobRow {
    #[must_use]
    pub const fn id(&self) -> JobId {
        JobId::from_uuid(self.id)
    }
}

/// A selection of jobs. `None` selects all.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    pub state: Option<String>,
    pub lane: Option<String>,
    pub kind: Option<String>,
    /// Text that the cause contains.
    pub cause: Option<String>,
}

/// The column `worker` keeps the last holder of a job, so it is read only if the lease is held.
const JOB_COLUMNS: &str = "id, lane, kind, key, state, due_at, attempts, cause, created_at, finished_at,
                           case when lease_until is not null then worker end as worker";
/// The names of [`JOB_COLUMNS`].
const JOB_NAMES: &str = "id, lane, kind, key, state, due_at, attempts, cause, created_at, finished_at, worker";

/// An id after all others. A comparison with it starts at its position in an index, but `$5 is null or …` would read
/// the whole index.
const LAST: &str = "'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid";

/// If a filter includes jobs that are done, it is applied only to this many jobs before the position in the list: done
/// jobs are kept for ever, and only their ids are ordered by an index.
pub const NEWEST: i64 = 1_000;

/// Jobs of a filter before a position in the list, the newest first. Of pending and dead jobs all are found, of others
/// as [`NEWEST`] says.
pub async fn list(
    conn: &mut Conn,
    filter: &JobFilter,
    before: Option<JobId>,
    limit: i64,
) -> Result<Vec<JobRow>, StoreError> {
    let among = |which: &str| format!("select {JOB_COLUMNS} from jobs where {which} id < coalesce($5, {LAST})");
    let among = match filter.state.as_deref() {
        Some("dead") => among("state = 'dead' and"),
        // Each part matches a partial index.
        Some("pending") => {
            let offered = among("state = 'pending' and offered_at is not null and");
            format!("{} union all {offered}", among("state = 'pending' and offered_at is null and"))
        }
        _ => format!("{} order by id desc limit {NEWEST}", among("")),
    };
    let sql = format!(
        "select {JOB_NAMES} from ({among}) job
         where ($1::text is null or state = $1) and ($2::text is null or lane = $2) and ($3::text is null or kind = $3)
           and ($4::text is null or position($4 in cause) > 0)
         order by id desc limit $6"
    );
    let rows = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(&filter.state)
        .bind(&filter.lane)
        .bind(&filter.kind)
        .bind(&filter.cause)
        .bind(before.map(JobId::uuid))
        .bind(limit)
        .fetch_all(conn)
        .await?;
    Ok(rows)
}

/// The number of dead letters of a filter, counted up to `most`.
pub async fn count_dead(conn: &mut Conn, filter: &JobFilter, most: i64) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar(
        "select count(*) from (
            select 1 from jobs
            where state = 'dead' and ($1::text is null or lane = $1) and ($2::text is null or kind = $2)
              and ($3::text is null or position($3 in cause) > 0)
            limit $4) found",
    )
    .bind(&filter.lane)
    .bind(&filter.kind)
    .bind(&filter.cause)
    .bind(most)
    .fetch_one(conn)
    .await?;
    Ok(count)
}

/// The number of unfinished jobs of a lane.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Backlog {
    pub lane: String,
    /// Waiting or under way.
    pub pending: i64,
    pub dead: i64,
}

/// The numbers of unfinished jobs of these lanes, each counted up to `most`, by indexes that hold no done jobs.
pub async fn backlog(conn: &mut Conn, lanes: &[Lane], most: i64) -> Result<Vec<Backlog>, StoreError> {
    let lanes: Vec<&str> = lanes.iter().map(Lane::as_str).collect();
    let rows = sqlx::query_as(
        "select name as lane,
                (select count(*) from (
                    (select 1 from jobs where lane = name and state = 'pending' and offered_at is null limit $2)
                    union all
                    (select 1 from jobs where lane = name and state = 'pending' and offered_at is not null limit $2)
                    limit $2) waiting) as pending,
                (select count(*) from (
                    select 1 from jobs where lane = name and state = 'dead' limit $2) given_up) as dead
         from unnest($1::text[]) as name",
    )
    .bind(lanes)
    .bind(most)
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

pub async fn find(conn: &mut Conn, job: JobId) -> Result<Option<JobRow>, StoreError> {
    let sql = format!("select {JOB_COLUMNS} from jobs where id = $1");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(job.uuid()).fetch_optional(conn).await?)
}

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct AttemptRow {
    /// Number of its claim.
    pub fence: i64,
    pub worker: String,
    pub started_at: Instant,
    /// `None` while it is under way.
    pub ended_at: Option<Instant>,
    /// `None` while it is under way.
    pub outcome: Option<String>,
    /// In the gateway's words.
    pub detail: Option<String>,
    /// The gateway's own id of what it took.
    pub reference: Option<String>,
}

/// All attempts of a job, the first one first, the one under way last.
pub async fn attempts(conn: &mut Conn, job: JobId) -> Result<Vec<AttemptRow>, StoreError> {
    let rows = sqlx::query_as(
        "select fence, worker, started_at, ended_at, outcome, detail, reference from attempts where job_id = $1
         union all
         select fence, worker, claimed_at, null, null, null, null from jobs where id = $1 and lease_until is not null
         order by fence",
    )
    .bind(job.uuid())
    .fetch_all(conn)
    .await?;
    Ok(rows)
}
