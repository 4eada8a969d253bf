//! Jobs (任务): work that a use case stores in the database, and that workers do later.
//!
//! This file enqueues and revives jobs, and marks jobs as offered. An offered job has an entry on a Redis stream, where
//! workers find it. Other code writes the stream. All times are by the database's clock, so that workers with wrong
//! clocks cannot harm each other.

mod claim;
mod doubt;
mod ending;
mod inspect;
mod standing;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use sqlx_macros::FromRow;

use super::{Conn, StoreError};
use crate::domain::kernel::clock::{Instant, fresh_uuid};
use crate::domain::kernel::ids::JobId;
use crate::domain::work::job::{Job, Lane, Offer};
use crate::domain::work::outcome::Outcome;

pub use claim::{Claimed, claim};
pub use doubt::{HandedOver, handed_over, lost_in_a_row};
pub use ending::{AttemptKey, Ending, settle};
pub use inspect::{AttemptRow, Backlog, JobFilter, JobRow, attempts, backlog, count_dead, find, list};
pub use standing::{LaneCounts, lane_counts};

/// Enqueues jobs outside a [`super::record::Record`]. Returns the new jobs that are due at once; the caller offers them
/// after the commit. A job whose business key is stored already is left out.
pub async fn enqueue(conn: &mut Conn, jobs: &[Job], trace: Option<&str>) -> Result<Vec<Offer>, StoreError> {
    let sql = "insert into jobs (id, lane, kind, key, payload, due_at, offered_at, trace, created_at)
         values ($1, $2, $3, $4, $5, now() + $6 * interval '1 millisecond', case when $6 = 0 then now() end, $7, now())
         on conflict on constraint jobs_key do nothing
         returning id, lane, offered_at is not null";
    let mut offers = Vec::new();
    for job in jobs {
        let payload =
            serde_json::to_value(&job.work).map_err(|error| StoreError::Broken(format!("jobs.payload: {error}")))?;
        let offered: Option<(JobId, Lane, bool)> = sqlx::query_as(sql)
            .bind(fresh_uuid())
            .bind(job.work.lane())
            .bind(job.work.kind())
            .bind(job.work.key())
            .bind(payload)
            .bind(millis(job.delay))
            .bind(trace)
            .fetch_optional(&mut *conn)
            .await?;
        if let Some((job, lane, true)) = offered {
            offers.push(Offer { job, lane });
        }
    }
    Ok(offers)
}

/// Deletes a pending job that no worker ever claimed. Returns false if it finds no such job. If a worker claims the job
/// at the same time, either the claim or the deletion finds nothing.
pub async fn cancel_untried(conn: &mut Conn, key: &str) -> Result<bool, StoreError> {
    let sql = "delete from jobs where key = $1 and state = 'pending' and fence = 0";
    Ok(sqlx::query(sql).bind(key).execute(conn).await?.rows_affected() == 1)
}

/// A due job that [`sweep`] found.
#[derive(FromRow)]
pub struct SweptJob {
    #[sqlx(rename = "id")]
    pub job: JobId,
    /// True if the job was offered before, and the stream entry was lost.
    #[sqlx(rename = "lost")]
    pub was_lost: bool,
}

/// Marks due jobs of a lane as offered if they have no stream entry, and returns them. The caller offers them. These
/// jobs were never offered, or were offered longer than `lost_after` ago, so that their entry must be lost.
pub async fn sweep(
    conn: &mut Conn,
    lane: &Lane,
    lost_after: Duration,
    limit: i64,
) -> Result<Vec<SweptJob>, StoreError> {
    let sql = "with never_offered as (
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
        update jobs j set offered_at = now() from due where j.id = any (array[due.id]) returning j.id, due.lost";
    Ok(sqlx::query_as(sql).bind(lane).bind(millis(lost_after)).bind(limit).fetch_all(conn).await?)
}

/// Returns jobs of a lane that have been due for at least `overdue`, and marks them as offered. A returned job is not
/// returned again within the next `overdue`, so that the caller has that time to handle it.
pub async fn overdue(conn: &mut Conn, lane: &Lane, overdue: Duration, limit: i64) -> Result<Vec<JobId>, StoreError> {
    let sql = "with never_offered as (
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
        update jobs j set offered_at = now() from taken where j.id = any (array[taken.id]) returning j.id";
    Ok(sqlx::query_scalar(sql).bind(lane).bind(millis(overdue)).bind(limit).fetch_all(conn).await?)
}

/// Returns the lanes (queues of one gateway each) that have pending jobs. Each lane costs one or two index look-ups,
/// however many jobs it has.
pub async fn lanes_in_use(conn: &mut Conn) -> Result<Vec<Lane>, StoreError> {
    let sql = "with recursive waiting as (
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
        order by lane";
    Ok(sqlx::query_scalar(sql).fetch_all(conn).await?)
}

/// Makes a waiting job due after the duration `within`. A job that is due earlier, claimed or finished is left as it
/// is.
pub async fn hasten(conn: &mut Conn, key: &str, within: Duration) -> Result<(), StoreError> {
    let sql = "update jobs set due_at = now() + $2 * interval '1 millisecond', offered_at = null
        where key = $1 and state = 'pending' and due_at > now() + $2 * interval '1 millisecond' and lease_until is null";
    sqlx::query(sql).bind(key).bind(millis(within)).execute(conn).await?;
    Ok(())
}

pub async fn by_key(conn: &mut Conn, key: &str) -> Result<Option<JobId>, StoreError> {
    Ok(sqlx::query_scalar("select id from jobs where key = $1").bind(key).fetch_optional(conn).await?)
}

/// True if a worker has claimed the job with this business key and has not settled it.
pub async fn is_held(conn: &mut Conn, key: &str) -> Result<bool, StoreError> {
    let sql = "select exists (select from jobs where key = $1 and state = 'pending' and lease_until is not null)";
    Ok(sqlx::query_scalar(sql).bind(key).fetch_one(conn).await?)
}

/// Returns the payload of a done job, if its last attempt had one of these outcomes.
pub async fn done_with(conn: &mut Conn, job: JobId, outcomes: &[Outcome]) -> Result<Option<Value>, StoreError> {
    let sql = "select payload from jobs where id = $1 and state = 'done'
                 and (select outcome from attempts where job_id = $1 order by fence desc limit 1) = any($2)";
    let outcomes: Vec<&str> = outcomes.iter().map(|outcome| outcome.as_str()).collect();
    Ok(sqlx::query_scalar(sql).bind(job).bind(outcomes).fetch_optional(conn).await?)
}

/// Returns the gateway's id of the message or order that the last attempt at a job handed over, if the gateway gave one.
pub async fn reference(conn: &mut Conn, job: JobId) -> Result<Option<String>, StoreError> {
    let sql = "select reference from attempts where job_id = $1 order by fence desc limit 1";
    let last: Option<Option<String>> = sqlx::query_scalar(sql).bind(job).fetch_optional(conn).await?;
    Ok(last.flatten())
}

/// Makes the jobs that wait for an event due now, except jobs that a worker has claimed.
pub async fn hasten_awaiting(conn: &mut Conn, event: &str) -> Result<(), StoreError> {
    let sql = "update jobs set due_at = now(), offered_at = null
               where awaits = $1 and state = 'pending' and due_at > now() and lease_until is null";
    sqlx::query(sql).bind(event).execute(conn).await?;
    Ok(())
}

/// Returns the business keys among these that belong to a stored job.
pub async fn enqueued(conn: &mut Conn, keys: &[String]) -> Result<BTreeSet<String>, StoreError> {
    let sql = "select key from jobs where key = any($1)";
    Ok(sqlx::query_scalar(sql).bind(keys).fetch_all(conn).await?.into_iter().collect())
}

/// Makes a waiting job due within this time like [`hasten`], if an attempt at it has an unknown outcome. A job that waits
/// because its gateway knew nothing of the attempt yet is left as it is: that answer is believed the second time, so the
/// wait between the two must not be shortened.
pub async fn hasten_unclear(conn: &mut Conn, key: &str, within: Duration) -> Result<(), StoreError> {
    let sql = "update jobs set due_at = now() + $2 * interval '1 millisecond', offered_at = null
        where key = $1 and state = 'pending' and unclear > 0 and not told_absent and lease_until is null
          and due_at > now() + $2 * interval '1 millisecond'";
    sqlx::query(sql).bind(key).bind(millis(within)).execute(conn).await?;
    Ok(())
}

/// Revives a job that is done or dead, because there is new work for it. It is due after `wait`, and its attempts and
/// age count from zero.
pub async fn revive(conn: &mut Conn, key: &str, wait: Duration) -> Result<(), StoreError> {
    let sql = "update jobs set state = 'pending', finished_at = null, due_at = now() + $2 * interval '1 millisecond',
                      offered_at = null, attempts = 0, created_at = now()
               where key = $1 and state <> 'pending'";
    sqlx::query(sql).bind(key).bind(millis(wait)).execute(conn).await?;
    Ok(())
}

/// Revives dead letters. They are due now, and their attempts count from zero. The number of attempts with an unknown
/// outcome stays, so that the worker looks them up before it tries again.
pub async fn replay(conn: &mut Conn, jobs: &[JobId]) -> Result<Vec<Offer>, StoreError> {
    let sql = "update jobs set state = 'pending', finished_at = null, due_at = now(), offered_at = null, attempts = 0,
                      created_at = now()
               where id = any($1) and state = 'dead' returning id, lane";
    let revived: Vec<(JobId, Lane)> = sqlx::query_as(sql).bind(jobs).fetch_all(conn).await?;
    Ok(revived.into_iter().map(|(job, lane)| Offer { job, lane }).collect())
}

/// Removes up to `limit` done jobs that ended before an instant, with their attempts. Returns the number of jobs. Dead
/// letters stay until an operator replays them.
pub async fn forget_done(conn: &mut Conn, ended_before: Instant, limit: i64) -> Result<u64, StoreError> {
    let sql = "with gone as (
                   delete from jobs where id = any (array(
                       select id from jobs where state = 'done' and finished_at < $1
                       order by finished_at limit $2 for update skip locked))
                   returning id
               ), tried as (
                   delete from attempts using gone where job_id = gone.id
               )
               select count(*) from gone";
    let removed: i64 = sqlx::query_scalar(sql).bind(ended_before).bind(limit).fetch_one(conn).await?;
    Ok(removed.unsigned_abs())
}

pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
