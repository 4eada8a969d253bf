//! Jobs: promised here, offered, hastened and brought back to life; claimed in [`claim`], ended in [`ending`], doubted in
//! [`doubt`], looked at in [`inspect`]. Every clock is the database's own, so that workers with wrong clocks cannot harm each other.

mod claim;
mod doubt;
mod ending;
mod inspect;
mod standing;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use super::{Conn, StoreError};
use crate::domain::kernel::clock::fresh_uuid;
use crate::domain::kernel::ids::JobId;
use crate::domain::work::job::{Job, Lane, Offer};

pub use claim::{Claimed, claim};
pub use doubt::{HandedOver, handed_over, lost_in_a_row};
pub use ending::{AttemptId, Ending, settle};
pub use inspect::{AttemptRow, Backlog, JobFilter, JobRow, attempts, backlog, count_dead, find, list};
pub use standing::{Standing, standing};

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

/// Takes a promise back that nobody began to keep; whether there was one. Whoever begins it at the same time finds it gone,
/// or is found to have begun.
///
/// # Errors
/// When the database is unavailable.
pub async fn take_back(conn: &mut Conn, key: &str) -> Result<bool, StoreError> {
    let taken = sqlx::query("delete from jobs where key = $1 and state = 'pending' and fence = 0");
    Ok(taken.bind(key).execute(conn).await?.rows_affected() == 1)
}

/// Takes due jobs of a lane that no stream entry stands for any more, and marks them as offered: those never offered,
/// and those offered so long ago (`lost_after` before the database's now) that their entry must be lost. Says which these
/// are.
///
/// # Errors
/// When the database is unavailable.
pub async fn sweep(
    conn: &mut Conn,
    lane: &Lane,
    lost_after: Duration,
    limit: i64,
) -> Result<Vec<(JobId, bool)>, StoreError> {
    let swept: Vec<(Uuid, bool)> = sqlx::query_as(
        "with never_offered as (
            select id from jobs where lane = $1 and state = 'pending' and offered_at is null and due_at <= now()
            order by due_at limit $3 for update skip locked
        ), lost as (
            select id from jobs where lane = $1 and state = 'pending'
              and offered_at < now() - $2 * interval '1 millisecond'
              and (lease_until is null or lease_until < now())
            order by offered_at limit $3 for update skip locked
        ), due as (
            select id, false as lost from never_offered union all select id, true from lost
        )
        update jobs j set offered_at = now() from due where j.id = due.id returning j.id, due.lost",
    )
    .bind(lane.as_str())
    .bind(millis(lost_after))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(swept.into_iter().map(|(job, lost)| (JobId::from_uuid(job), lost)).collect())
}

/// Takes jobs of a lane that have been due for so long, and marks them as offered: a caller has this long to see to them.
///
/// # Errors
/// When the database is unavailable.
pub async fn overdue(conn: &mut Conn, lane: &Lane, overdue: Duration, limit: i64) -> Result<Vec<JobId>, StoreError> {
    let taken: Vec<Uuid> = sqlx::query_scalar(
        "with never_offered as (
            select id from jobs where lane = $1 and state = 'pending' and offered_at is null
              and due_at < now() - $2 * interval '1 millisecond' and (lease_until is null or lease_until < now())
            order by due_at limit $3 for update skip locked
        ), offered as (
            select id from jobs where lane = $1 and state = 'pending'
              and offered_at < now() - $2 * interval '1 millisecond'
              and due_at < now() - $2 * interval '1 millisecond' and (lease_until is null or lease_until < now())
            order by offered_at limit $3 for update skip locked
        ), taken as (
            select id from never_offered union all select id from offered
        )
        update jobs j set offered_at = now() from taken where j.id = taken.id returning j.id",
    )
    .bind(lane.as_str())
    .bind(millis(overdue))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(taken.into_iter().map(JobId::from_uuid).collect())
}

/// The lanes in which jobs are pending. Each costs one look into an index, however many jobs there are.
///
/// # Errors
/// When the database is unavailable.
pub async fn lanes_in_use(conn: &mut Conn) -> Result<Vec<Lane>, StoreError> {
    let lanes: Vec<String> = sqlx::query_scalar(
        "with recursive waiting as (
            (select lane from jobs where state = 'pending' and offered_at is null order by lane limit 1)
            union all
            select (select lane from jobs where state = 'pending' and offered_at is null and lane > w.lane
                    order by lane limit 1)
            from waiting w where w.lane is not null
        ), offered as (
            (select lane from jobs where state = 'pending' and offered_at is not null order by lane limit 1)
            union all
            select (select lane from jobs where state = 'pending' and offered_at is not null and lane > o.lane
                    order by lane limit 1)
            from offered o where o.lane is not null
        )
        select lane from waiting where lane is not null union select lane from offered where lane is not null
        order by lane",
    )
    .fetch_all(conn)
    .await?;
    Ok(lanes.into_iter().map(Lane::from_stored).collect())
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

/// The job of a business key.
///
/// # Errors
/// When the database is unavailable.
pub async fn by_key(conn: &mut Conn, key: &str) -> Result<Option<JobId>, StoreError> {
    let id: Option<Uuid> =
        sqlx::query_scalar("select id from jobs where key = $1").bind(key).fetch_optional(conn).await?;
    Ok(id.map(JobId::from_uuid))
}

/// Whether somebody holds the job of a business key: how its attempt ended is not written down.
///
/// # Errors
/// When the database is unavailable.
pub async fn is_held(conn: &mut Conn, key: &str) -> Result<bool, StoreError> {
    let held = "select exists (select from jobs where key = $1 and state = 'pending' and lease_until is not null)";
    Ok(sqlx::query_scalar(held).bind(key).fetch_one(conn).await?)
}

/// The work of a job that is done, if its last attempt ended in one of these ways.
///
/// # Errors
/// When the database is unavailable.
pub async fn done_with(conn: &mut Conn, job: JobId, outcomes: &[&str]) -> Result<Option<Value>, StoreError> {
    let work = sqlx::query_scalar(
        "select payload from jobs where id = $1 and state = 'done'
           and (select outcome from attempts where job_id = $1 order by fence desc limit 1) = any($2)",
    )
    .bind(job.uuid())
    .bind(outcomes)
    .fetch_optional(conn)
    .await?;
    Ok(work)
}

/// An event happened: the jobs that wait for it are due now, but for those that somebody holds.
///
/// # Errors
/// When the database is unavailable.
pub async fn hasten_awaiting(conn: &mut Conn, event: &str) -> Result<(), StoreError> {
    sqlx::query(
        "update jobs set due_at = now(), offered_at = null
         where awaits = $1 and state = 'pending' and due_at > now() and lease_until is null",
    )
    .bind(event)
    .execute(conn)
    .await?;
    Ok(())
}

/// Those of these keys under which a job was ever promised.
///
/// # Errors
/// When the database is unavailable.
pub async fn promised(conn: &mut Conn, keys: &[String]) -> Result<BTreeSet<String>, StoreError> {
    let known: Vec<String> =
        sqlx::query_scalar("select key from jobs where key = any($1)").bind(keys).fetch_all(conn).await?;
    Ok(known.into_iter().collect())
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

/// A duration as PostgreSQL is told it.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
