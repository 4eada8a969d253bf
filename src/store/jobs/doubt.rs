//! Attempts that may have acted on the outside world, and whose outcome is unknown.

use std::time::Duration;

use sqlx::FromRow;

use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::JobId;
use crate::domain::work::outcome::Outcome;
use crate::store::{Conn, StoreError};

/// The attempts of a job that may have reached the gateway with an unknown outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedOver {
    /// When they began, the earliest first. Never empty.
    pub at: Vec<Instant>,
    /// Time since the last of them ended, as far as that is known.
    pub last: Duration,
    /// Time since the first attempt with the outcome `unconfirmed`: an answer that proves nothing.
    pub unconfirmed: Option<Duration>,
}

/// The attempts of a job with an unknown outcome; `None` if there are none.
pub async fn handed_over(conn: &mut Conn, job: JobId) -> Result<Option<HandedOver>, StoreError> {
    #[derive(FromRow)]
    struct Row {
        at: Vec<Instant>,
        last_ms: Option<i64>,
        unconfirmed_ms: Option<i64>,
    }
    let Row { at, last_ms, unconfirmed_ms } = sqlx::query_as(
        "select coalesce(array_agg(started_at order by fence) filter (where doubtful), '{}') as at,
                (extract(epoch from now() - max(ended_at) filter (where doubtful)) * 1000)::bigint as last_ms,
                (extract(epoch from now() - min(ended_at) filter (where outcome = $3)) * 1000)::bigint
                    as unconfirmed_ms
         from (select fence, started_at, ended_at, outcome, outcome = any($2) as doubtful
               from attempts where job_id = $1) a",
    )
    .bind(job.uuid())
    .bind(Outcome::IN_DOUBT.map(Outcome::as_str))
    .bind(Outcome::Unconfirmed.as_str())
    .fetch_one(conn)
    .await?;
    let duration = |millis: i64| Duration::from_millis(u64::try_from(millis).unwrap_or(0));
    let handed_over = |last| HandedOver { at, last: duration(last), unconfirmed: unconfirmed_ms.map(duration) };
    Ok(last_ms.map(handed_over))
}

/// The number of attempts, counted back from the last, whose worker died or fell silent.
pub async fn lost_in_a_row(conn: &mut Conn, job: JobId) -> Result<i32, StoreError> {
    let lost = sqlx::query_scalar(
        "select count(*)::int from attempts where job_id = $1 and outcome = $2
           and fence > coalesce((select max(fence) from attempts where job_id = $1 and outcome <> $2), 0)",
    )
    .bind(job.uuid())
    .bind(Outcome::Lost.as_str())
    .fetch_one(conn)
    .await?;
    Ok(lost)
}
