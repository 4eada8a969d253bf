//! Jobs: promised here, offered, hastened and brought back to life; claimed in [`claim`], ended in [`ending`], looked at
//! in [`inspect`]. Every clock is the database's own, so that workers with wrong clocks cannot harm each other.

mod claim;
mod ending;
mod inspect;
mod standing;

use std::time::Duration;

use uuid::Uuid;

use super::{Conn, StoreError};
use crate::domain::clock::fresh_uuid;
use crate::domain::ids::JobId;
use crate::domain::job::{Job, Lane, Offer};

pub use claim::{Claimed, claim};
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

/// Whether the outcome of an attempt at one of these jobs was ever unknown.
///
/// # Errors
/// When the database is unavailable.
pub async fn any_unclear(conn: &mut Conn, keys: &[String]) -> Result<bool, StoreError> {
    let any = sqlx::query_scalar("select exists (select from jobs where key = any($1) and unclear > 0)").bind(keys);
    Ok(any.fetch_one(conn).await?)
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

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
