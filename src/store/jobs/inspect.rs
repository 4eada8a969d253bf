//! Jobs and attempts as operators see them.

use sqlx_macros::FromRow;

use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::JobId;
use crate::domain::work::job::Lane;
use crate::store::{Conn, StoreError};

#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct JobRow {
    id: JobId,
    pub lane: String,
    pub kind: String,
    /// Business key, which no other job has.
    pub key: String,
    /// `pending`, `done` or `dead`.
    pub state: String,
    pub due_at: Instant,
    /// How many attempts count towards the limit of the retry policy.
    pub attempts: i32,
    /// Why the job waits or is a dead letter: the detail of its last attempt.
    pub cause: Option<String>,
    pub created_at: Instant,
    /// When the job was done or given up.
    pub finished_at: Option<Instant>,
    /// The worker that has claimed the job.
    pub worker: Option<String>,
}

impl JobRow {
    #[must_use]
    pub const fn id(&self) -> JobId {
        self.id
    }
}

/// A selection of jobs. `None` selects all.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    pub state: Option<String>,
    pub lane: Option<String>,
    pub kind: Option<String>,
    /// Selects jobs whose cause contains this text.
    pub cause: Option<String>,
}

/// The column `worker` keeps the name of the last worker. It is selected only if that worker still has the lease.
const JOB_COLUMNS: &str = "id, lane, kind, key, state, due_at, attempts, cause, created_at, finished_at,
                           case when lease_until is not null then worker end as worker";
/// The names of [`JOB_COLUMNS`].
const JOB_NAMES: &str = "id, lane, kind, key, state, due_at, attempts, cause, created_at, finished_at, worker";

/// The largest possible id, used for the first page. With it a statement can always compare ids, and can begin at a
/// position in an index. A condition like `$5 is null or …` would read the whole index.
const LAST: &str = "'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid";

/// A filter that includes done jobs searches only this many jobs before the position in the list. Done jobs are kept
/// for ever, and they are in no index but that of the ids.
pub const NEWEST: i64 = 1_000;

/// Returns the jobs that match a filter before a position in the list, the newest first. If the filter includes done
/// jobs, only the [`NEWEST`] jobs are searched.
pub async fn list(
    conn: &mut Conn,
    filter: &JobFilter,
    before: Option<JobId>,
    limit: i64,
) -> Result<Vec<JobRow>, StoreError> {
    let among = |which: &str| format!("select {JOB_COLUMNS} from jobs where {which} id < coalesce($5, {LAST})");
    let among = match filter.state.as_deref() {
        Some("dead") => among("state = 'dead' and"),
        // Each of the two selects matches a partial index.
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

/// Counts the dead letters that match a filter, up to `most`.
pub async fn count_dead(conn: &mut Conn, filter: &JobFilter, most: i64) -> Result<i64, StoreError> {
    let sql = "select count(*) from (
            select 1 from jobs
            where state = 'dead' and ($1::text is null or lane = $1) and ($2::text is null or kind = $2)
              and ($3::text is null or position($3 in cause) > 0)
            limit $4) found";
    let query = sqlx::query_scalar(sql).bind(&filter.lane).bind(&filter.kind).bind(&filter.cause).bind(most);
    Ok(query.fetch_one(conn).await?)
}

/// The numbers of unfinished jobs in a lane, the queue of one gateway.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Backlog {
    pub lane: String,
    /// Jobs that wait or that a worker has claimed.
    pub pending: i64,
    pub dead: i64,
}

/// Counts the unfinished jobs of these lanes, each number up to `most`. The indexes that it reads contain no done jobs.
pub async fn backlog(conn: &mut Conn, lanes: &[Lane], most: i64) -> Result<Vec<Backlog>, StoreError> {
    let sql = "select name as lane,
                (select count(*) from (
                    (select 1 from jobs where lane = name and state = 'pending' and offered_at is null limit $2)
                    union all
                    (select 1 from jobs where lane = name and state = 'pending' and offered_at is not null limit $2)
                    limit $2) waiting) as pending,
                (select count(*) from (
                    select 1 from jobs where lane = name and state = 'dead' limit $2) given_up) as dead
         from unnest($1::text[]) as name";
    Ok(sqlx::query_as(sql).bind(lanes).bind(most).fetch_all(conn).await?)
}

pub async fn find(conn: &mut Conn, job: JobId) -> Result<Option<JobRow>, StoreError> {
    let sql = format!("select {JOB_COLUMNS} from jobs where id = $1");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(job).fetch_optional(conn).await?)
}

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct AttemptRow {
    /// The fence number: the number of the claim that began the attempt.
    pub fence: i64,
    pub worker: String,
    pub started_at: Instant,
    /// `None` while the attempt is under way.
    pub ended_at: Option<Instant>,
    /// `None` while the attempt is under way.
    pub outcome: Option<String>,
    /// A description of the outcome, such as the gateway's error code.
    pub detail: Option<String>,
    /// The gateway's own id of the message or order that it accepted.
    pub reference: Option<String>,
}

/// Returns all attempts of a job, the earliest first. An attempt that is under way is the last.
pub async fn attempts(conn: &mut Conn, job: JobId) -> Result<Vec<AttemptRow>, StoreError> {
    let sql = "select fence, worker, started_at, ended_at, outcome, detail, reference from attempts where job_id = $1
         union all
         select fence, worker, claimed_at, null, null, null, null from jobs where id = $1 and lease_until is not null
         order by fence";
    Ok(sqlx::query_as(sql).bind(job).fetch_all(conn).await?)
}
