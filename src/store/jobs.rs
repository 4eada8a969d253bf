//! Jobs and attempts: claim, settle, sweep, and what operators see. Every clock here is the database's own, so that
//! workers with wrong clocks cannot harm each other.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Conn, StoreError};
use crate::domain::clock::{Instant, fresh_uuid};
use crate::domain::ids::JobId;
use crate::domain::job::{Job, JobState, Lane, Offer};

/// Promises jobs outside a [`super::record::Record`]; those due at once are returned, to be offered after the commit.
/// A job that was promised before is not promised again.
///
/// # Errors
/// When the database is unavailable.
pub async fn promise(conn: &mut Conn, jobs: &[Job], trace: Option<&str>) -> Result<Vec<Offer>, StoreError> {
    let mut offers = Vec::new();
    for job in jobs {
        let payload =
            serde_json::to_value(&job.work).map_err(|error| StoreError::Broken(format!("jobs.payload: {error}")))?;
        let offered: Option<(Uuid, String, bool)> = sqlx::query_as(
            "insert into jobs (id, lane, kind, key, payload, due_at, offered_at, trace, created_at)
             values ($1, $2, $3, $4, $5, now() + $6 * interval '1 millisecond', case when $6 = 0 then now() end, $7, now())
             on conflict on constraint jobs_key do nothing
             returning id, lane, offered_at is not null",
        )
        .bind(fresh_uuid())
        .bind(job.work.lane().as_str())
        .bind(job.work.kind())
        .bind(job.work.key())
        .bind(payload)
        .bind(millis(job.delay))
        .bind(trace)
        .fetch_optional(&mut *conn)
        .await?;
        if let Some((id, lane, true)) = offered {
            offers.push(Offer { job: JobId::from_uuid(id), lane: Lane::from_stored(lane) });
        }
    }
    Ok(offers)
}

/// A job that a worker holds.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Claimed {
    id: Uuid,
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
}

/// Claims those of these jobs that are due and that nobody holds, and opens an attempt at each.
///
/// A lease that ran out was held by a worker that never told how it ended: such an attempt is closed as `lost` and
/// counts as unclear.
///
/// # Errors
/// When the database is unavailable.
pub async fn claim(conn: &mut Conn, jobs: &[JobId], worker: &str, lease: Duration) -> Result<Vec<Claimed>, StoreError> {
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.uuid()).collect();
    let claimed = sqlx::query_as(
        "with free as (
            select id, lease_until is not null as was_held from jobs
            where id = any($1) and state = 'pending' and due_at <= now() and (lease_until is null or lease_until < now())
            for update skip locked
        ), claimed as (
            update jobs j
            set fence = j.fence + 1, attempts = j.attempts + 1, unclear = j.unclear + f.was_held::int,
                told_absent = j.told_absent and not f.was_held,
                lease_until = now() + $3 * interval '1 millisecond', worker = $2
            from free f where j.id = f.id
            returning j.id, j.lane, j.kind, j.payload, j.fence, j.attempts, j.unclear, j.told_absent, j.created_at, j.trace,
                      f.was_held
        ), lost as (
            update attempts a set ended_at = now(), outcome = 'lost'
            from claimed c where c.was_held and a.job_id = c.id and a.ended_at is null
        ), opened as (
            insert into attempts (job_id, fence, worker, started_at) select id, fence, $2, now() from claimed
        )
        select id, lane, kind, payload, fence, attempts, unclear, told_absent, created_at, trace,
               (extract(epoch from now() - created_at) * 1000)::bigint as age_ms
        from claimed",
    )
    .bind(ids)
    .bind(worker)
    .bind(millis(lease))
    .fetch_all(conn)
    .await?;
    Ok(claimed)
}

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ending {
    id: Uuid,
    fence: i64,
    state: &'static str,
    delay_ms: i64,
    counts: bool,
    unclear: i32,
    told_absent: bool,
    outcome: &'static str,
    detail: String,
    reference: Option<String>,
}

impl Ending {
    /// The job is done.
    #[must_use]
    pub fn done(job: &Claimed, outcome: &'static str, detail: String, reference: Option<String>) -> Self {
        Self { reference, ..Self::of(job, JobState::Done, Duration::ZERO, outcome, detail) }
    }

    /// The job is given up: a dead letter.
    #[must_use]
    pub fn dead(job: &Claimed, outcome: &'static str, detail: String) -> Self {
        Self::of(job, JobState::Dead, Duration::ZERO, outcome, detail)
    }

    /// The job is due again after a while.
    #[must_use]
    pub fn again(job: &Claimed, after: Duration, outcome: &'static str, detail: String) -> Self {
        Self::of(job, JobState::Pending, after, outcome, detail)
    }

    /// A look-up found nothing of an attempt whose outcome nobody knows; to be asked once more after a while.
    #[must_use]
    pub fn told_absent(job: &Claimed, after: Duration, detail: String) -> Self {
        Self { told_absent: true, ..Self::snooze(job, after, detail) }
    }

    /// Whether the job is given up.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.state == JobState::Dead.as_str()
    }

    /// The same ending, with this many attempts whose outcome nobody knows.
    #[must_use]
    pub fn with_unclear(self, unclear: i32) -> Self {
        Self { unclear, ..self }
    }

    /// The job is due again after a while, and this attempt does not count.
    #[must_use]
    pub fn snooze(job: &Claimed, after: Duration, detail: String) -> Self {
        Self { counts: false, ..Self::of(job, JobState::Pending, after, "snoozed", detail) }
    }

    fn of(job: &Claimed, state: JobState, after: Duration, outcome: &'static str, detail: String) -> Self {
        let (id, fence, unclear, delay_ms) = (job.id, job.fence, job.unclear, millis(after));
        Self {
            id,
            fence,
            state: state.as_str(),
            delay_ms,
            counts: true,
            unclear,
            told_absent: false,
            outcome,
            detail,
            reference: None,
        }
    }

    /// Which job.
    #[must_use]
    pub const fn id(&self) -> JobId {
        JobId::from_uuid(self.id)
    }

    /// Which attempt at it.
    #[must_use]
    pub const fn attempt(&self) -> AttemptId {
        (self.id(), self.fence)
    }
}

/// Which attempt at which job: the job, and the fence under which it was claimed.
pub type AttemptId = (JobId, i64);

/// Settles attempts whose claim still holds, and returns those that it did settle. A worker that lost its lease to another
/// settles nothing, even where both hand in together.
///
/// # Errors
/// When the database is unavailable.
pub async fn settle(conn: &mut Conn, endings: &[Ending]) -> Result<Vec<AttemptId>, StoreError> {
    let given = serde_json::to_value(endings).map_err(|error| StoreError::Broken(format!("attempts: {error}")))?;
    let held: Vec<(Uuid, i64)> = sqlx::query_as(
        "with given as (
            select * from jsonb_to_recordset($1)
                as t (id uuid, fence bigint, state text, delay_ms bigint, counts boolean, unclear integer,
                      told_absent boolean, outcome text, detail text, reference text)
        ), held as (
            update jobs j
            set state = g.state, lease_until = null, worker = null, offered_at = null, unclear = g.unclear,
                told_absent = g.told_absent,
                attempts = j.attempts - (not g.counts)::int,
                due_at = now() + g.delay_ms * interval '1 millisecond',
                cause = case when g.state = 'done' then null else left(g.detail, 500) end,
                finished_at = case when g.state <> 'pending' then now() end
            from given g
            where j.id = g.id and j.fence = g.fence and j.state = 'pending'
            returning j.id, j.fence
        ), told as (
            update attempts a
            set ended_at = now(), outcome = g.outcome, detail = left(g.detail, 500), reference = g.reference
            from given g join held h on h.id = g.id and h.fence = g.fence
            where a.job_id = g.id and a.fence = g.fence
        )
        select id, fence from held",
    )
    .bind(given)
    .fetch_all(conn)
    .await?;
    Ok(held.into_iter().map(|(job, fence)| (JobId::from_uuid(job), fence)).collect())
}

/// Takes due jobs of a lane that no stream entry stands for any more, and marks them as offered: those never offered,
/// and those offered so long ago (`lost_before` the database's now) that their entry must be lost.
///
/// # Errors
/// When the database is unavailable.
pub async fn sweep(conn: &mut Conn, lane: &Lane, lost_after: Duration, limit: i64) -> Result<Vec<JobId>, StoreError> {
    let swept: Vec<Uuid> = sqlx::query_scalar(
        "with never_offered as (
            select id from jobs where lane = $1 and state = 'pending' and offered_at is null and due_at <= now()
            order by due_at limit $3 for update skip locked
        ), lost as (
            select id from jobs where lane = $1 and state = 'pending'
              and offered_at < now() - $2 * interval '1 millisecond'
              and (lease_until is null or lease_until < now())
            order by offered_at limit $3 for update skip locked
        ), due as (
            select id from never_offered union all select id from lost
        )
        update jobs j set offered_at = now() from due where j.id = due.id returning j.id",
    )
    .bind(lane.as_str())
    .bind(millis(lost_after))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(swept.into_iter().map(JobId::from_uuid).collect())
}

/// Makes a waiting job due within this time; nothing happens if it is due before, somebody holds it, or it is finished.
///
/// # Errors
/// When the database is unavailable.
pub async fn hasten(conn: &mut Conn, key: &str, within: Duration) -> Result<(), StoreError> {
    sqlx::query(
        "update jobs set due_at = now() + $2 * interval '1 millisecond', offered_at = null
         where key = $1 and state = 'pending' and due_at > now() + $2 * interval '1 millisecond' and lease_until is null",
    )
    .bind(key)
    .bind(millis(within))
    .execute(conn)
    .await?;
    Ok(())
}

/// Brings a finished job back to life, done or given up, because its subject moved on. It is due now, and as if new.
///
/// # Errors
/// When the database is unavailable.
pub async fn revive(conn: &mut Conn, key: &str) -> Result<(), StoreError> {
    sqlx::query(
        "update jobs set state = 'pending', finished_at = null, due_at = now(), offered_at = null, attempts = 0,
                created_at = now()
         where key = $1 and state <> 'pending'",
    )
    .bind(key)
    .execute(conn)
    .await?;
    Ok(())
}

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

const FILTER_COLUMNS: &str = "id, lane, kind, key, state, due_at, attempts, cause, created_at, finished_at, worker";

/// Jobs of a filter, the newest first, before a place in the list.
///
/// # Errors
/// When the database is unavailable.
pub async fn list(
    conn: &mut Conn,
    filter: &JobFilter,
    before: Option<JobId>,
    limit: i64,
) -> Result<Vec<JobRow>, StoreError> {
    let sql = format!(
        "select {FILTER_COLUMNS} from jobs
         where ($1::text is null or state = $1) and ($2::text is null or lane = $2) and ($3::text is null or kind = $3)
           and ($4::text is null or position($4 in cause) > 0) and ($5::uuid is null or id < $5)
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
    let sql = format!("select {FILTER_COLUMNS} from jobs where id = $1");
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
    /// Until when; open while it is under way, or since it was lost.
    pub ended_at: Option<Instant>,
    /// How it ended.
    pub outcome: Option<String>,
    /// In the gateway's words.
    pub detail: Option<String>,
    /// The gateway's own id.
    pub reference: Option<String>,
}

/// All attempts at a job, the first first.
///
/// # Errors
/// When the database is unavailable.
pub async fn attempts(conn: &mut Conn, job: JobId) -> Result<Vec<AttemptRow>, StoreError> {
    let rows = sqlx::query_as(
        "select fence, worker, started_at, ended_at, outcome, detail, reference from attempts where job_id = $1 order by fence",
    )
    .bind(job.uuid())
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// Brings dead letters back to life: due now, with their attempts counted anew. What was unclear stays unclear.
///
/// # Errors
/// When the database is unavailable.
pub async fn replay(conn: &mut Conn, jobs: &[JobId]) -> Result<Vec<Offer>, StoreError> {
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.uuid()).collect();
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "update jobs set state = 'pending', finished_at = null, due_at = now(), offered_at = null, attempts = 0,
                created_at = now()
         where id = any($1) and state = 'dead' returning id, lane",
    )
    .bind(ids)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id, lane)| Offer { job: JobId::from_uuid(id), lane: Lane::from_stored(lane) }).collect())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
