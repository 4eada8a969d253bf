//! What operators see of jobs and attempts.

use sqlx::FromRow;
use uuid::Uuid;

use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::JobId;
use crate::domain::work::job::Lane;
use crate::store::{Conn, StoreError};

/// A job as operators see it.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct JobRow {
    id: Uuid,
    /// Its lane.
    pub lane: String,
    /// Its kind.
    pub kind: String,
    /// Its business key.
    pub key: String,
    /// `pending`, `done` or `dead`.
    pub state: String,
    /// When it is due.
    pub due_at: Instant,
    /// How many attempts counted.
    pub attempts: i32,
    /// Why it waits or died.
    pub cause: Option<String>,
    /// When it was promised.
    pub created_at: Instant,
    /// When it was done or given up.
    pub finished_at: Option<Instant>,
    /// Who holds it.
    pub worker: Option<String>,
}

impl JobRow {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> JobId {
        JobId::from_uuid(self.id)
    }
}

/// Which jobs are meant.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Of this state.
    pub state: Option<String>,
    /// Of this lane.
    pub lane: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Whose cause holds this text.
    pub cause: Option<String>,
}

/// Of a job that nobody holds, `worker` is who held it last.
const JOB_COLUMNS: &str = "id, lane, kind, key, state, due_at, attempts, cause, created_at, finished_at,
                           case when lease_until is not null then worker end as worker";
/// The same, by their names.
const JOB_NAMES: &str = "id, lane, kind, key, state, due_at, attempts, cause, created_at, finished_at, worker";

/// An id after all others: a comparison with it finds its place in an index, where `$5 is null or …` reads all.
const LAST: &str = "'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid";

/// Among so many a filter is looked for, counted back from its place in the list, where jobs that are done are meant too:
/// those are kept for ever, and nothing but their ids puts them in an order.
pub const NEWEST: i64 = 1_000;

/// Jobs of a filter, the newest first, before a place in the list. Of the pending and of the dead all are found.
///
/// # Errors
/// When the database is unavailable.
pub async fn list(
    conn: &mut Conn,
    filter: &JobFilter,
    before: Option<JobId>,
    limit: i64,
) -> Result<Vec<JobRow>, StoreError> {
    let among = |which: &str| format!("select {JOB_COLUMNS} from jobs where {which} id < coalesce($5, {LAST})");
    let among = match filter.state.as_deref() {
        Some("dead") => among("state = 'dead' and"),
        // Each part is what an index knows.
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

/// How many dead letters a filter finds; `most` if there are more.
///
/// # Errors
/// When the database is unavailable.
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

/// What waits in a lane.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Backlog {
    /// Which lane.
    pub lane: String,
    /// Jobs to be done, or being done.
    pub pending: i64,
    /// Dead letters.
    pub dead: i64,
}

/// What waits in these lanes. Each number is counted up to `most` only, and only where there is an index for it: what is
/// done is never looked at.
///
/// # Errors
/// When the database is unavailable.
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

/// One job.
///
/// # Errors
/// When the database is unavailable.
pub async fn find(conn: &mut Conn, job: JobId) -> Result<Option<JobRow>, StoreError> {
    let sql = format!("select {JOB_COLUMNS} from jobs where id = $1");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(job.uuid()).fetch_optional(conn).await?)
}

/// An attempt as operators see it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct AttemptRow {
    /// Which claim it was.
    pub fence: i64,
    /// By whom.
    pub worker: String,
    /// From when.
    pub started_at: Instant,
    /// Until when; open while it is under way.
    pub ended_at: Option<Instant>,
    /// How it ended.
    pub outcome: Option<String>,
    /// In the gateway's words.
    pub detail: Option<String>,
    /// The gateway's own id.
    pub reference: Option<String>,
}

/// All attempts at a job, the first first, the one under way last.
///
/// # Errors
/// When the database is unavailable.
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
