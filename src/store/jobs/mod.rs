//! Jobs (任务): enqueued, offered, hastened and revived here, claimed in [`claim`], settled in [`ending`], clarified in
//! [`doubt`], shown in [`inspect`]. All times are by the database's clock, so that workers with wrong clocks cannot
//! harm each other.

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
use crate::domain::work::outcome::Outcome;

pub use claim::{Claimed, claim};
pub use doubt::{HandedOver, handed_over, lost_in_a_row};
pub use ending::{AttemptKey, Ending, settle};
pub use inspect::{AttemptRow, Backlog, JobFilter, JobRow, attempts, backlog, count_dead, find, list};
pub use standing::{LaneCounts, lane_counts};

/// Enqueues jobs outside a [`super::record::Record`]. Returns the new jobs that are due at once, to be offered after
/// the commit. If a job with the same business key is stored already, nothing happens.
pub async fn enqueue(conn: &mut Conn, jobs: &[Job], trace: Option<&str>) -> Result<Vec<Offer>, StoreError> {
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

/// Deletes a pending job that was never claimed. Returns false if there is none. A worker that claims it at the same
/// time either finds it gone, or this finds it claimed.
pub async fn cancel_untried(conn: &mut Conn, key: &str) -> Result<bool, StoreError> {
    let delete = sqlx::query("delete from jobs where key = $1 and state = 'pending' and fence = 0");
    Ok(delete.bind(key).execute(conn).await?.rows_affected() == 1)
}

/// A due job that [`sweep`] found.
pub struct SweptJob {
    pub job: JobId,
    /// True if it was offered before, and the offer had no effect.
    pub was_lost: bool,
}

/// Marks due jobs of a lane as offered if no stream entry stands for them: jobs that were never offered, and jobs that
/// were offered so long ago (`lost_after` before now) that their entry must be lost. Returns them, to be offered.
pub async fn sweep(
    conn: &mut Conn,
    lane: &Lane,
    lost_after: Duration,
    limit: i64,
) -> Result<Vec<SweptJob>, StoreError> {
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
    Ok(swept.into_iter().map(|(job, was_lost)| SweptJob { job: JobId::from_uuid(job), was_lost }).collect())
}

/// Marks jobs of a lane as offered that have been due for at least `overdue`, and returns them. The caller has as long
/// again to deal with them.
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

/// The lanes that have pending jobs. Each lane costs one index lookup, however many jobs it has.
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

/// Makes a waiting job due within this time. Nothing happens if it is due earlier, held by a worker, or finished.
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

pub async fn by_key(conn: &mut Conn, key: &str) -> Result<Option<JobId>, StoreError> {
    let id: Option<Uuid> =
        sqlx::query_scalar("select id from jobs where key = $1").bind(key).fetch_optional(conn).await?;
    Ok(id.map(JobId::from_uuid))
}

/// True if a worker holds the job of a business key.
pub async fn is_held(conn: &mut Conn, key: &str) -> Result<bool, StoreError> {
    let held = "select exists (select from jobs where key = $1 and state = 'pending' and lease_until is not null)";
    Ok(sqlx::query_scalar(held).bind(key).fetch_one(conn).await?)
}

/// The payload of a done job, if its last attempt had one of these outcomes.
pub async fn done_with(conn: &mut Conn, job: JobId, outcomes: &[Outcome]) -> Result<Option<Value>, StoreError> {
    let work = sqlx::query_scalar(
        "select payload from jobs where id = $1 and state = 'done'
           and (select outcome from attempts where job_id = $1 order by fence desc limit 1) = any($2)",
    )
    .bind(job.uuid())
    .bind(outcomes.iter().map(|outcome| outcome.as_str()).collect::<Vec<_>>())
    .fetch_optional(conn)
    .await?;
    Ok(work)
}

/// Makes the jobs that wait for an event due now, except those that a worker holds.
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

/// Which of these business keys belong to a stored job.
pub async fn enqueued(conn: &mut Conn, keys: &[String]) -> Result<BTreeSet<String>, StoreError> {
    let known: Vec<String> =
        sqlx::query_scalar("select key from jobs where key = any($1)").bind(keys).fetch_all(conn).await?;
    Ok(known.into_iter().collect())
}

/// Revives a finished job, done or dead, because its subject moved on. It is due now, and its attempts and age count
/// from zero.
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

/// Revives dead letters: they are due now, and their attempts count from zero. The number of attempts with an unknown
/// outcome stays.
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

/// A duration in milliseconds, as SQL parameters take it.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
