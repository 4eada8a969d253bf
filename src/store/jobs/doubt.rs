//! Attempts whose outcome is unknown: the gateway may have acted on them.

use std::time::Duration;

use sqlx_macros::FromRow;

use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::JobId;
use crate::domain::work::outcome::Outcome;
use crate::store::{Conn, StoreError};

/// The attempts of a job that have an unknown outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedOver {
    /// The times at which these attempts began, the earliest first. Never empty.
    pub at: Vec<Instant>,
    /// Time since the last of these attempts ended, by the database's clock.
    pub last: Duration,
    /// Time since the job's first attempt with the outcome `unconfirmed`: the gateway answered, but the answer proves
    /// nothing.
    pub unconfirmed: Option<Duration>,
}

/// Returns the attempts of a job that have an unknown outcome; `None` if there is no such attempt.
pub async fn handed_over(conn: &mut Conn, job: JobId) -> Result<Option<HandedOver>, StoreError> {
    #[derive(FromRow)]
    struct Row {
        at: Vec<Instant>,
        last_ms: Option<i64>,
        unconfirmed_ms: Option<i64>,
    }
    let sql = "select coalesce(array_agg(started_at order by fence) filter (where doubtful), '{}') as at,
                (extract(epoch from now() - max(ended_at) filter (where doubtful)) * 1000)::bigint as last_ms,
                (extract(epoch from now() - min(ended_at) filter (where outcome = $3)) * 1000)::bigint
                    as unconfirmed_ms
         from (select fence, started_at, ended_at, outcome, outcome = any($2) as doubtful
               from attempts where job_id = $1) a";
    let doubtful = Outcome::IN_DOUBT.map(Outcome::as_str);
    let query = sqlx::query_as(sql).bind(job).bind(doubtful).bind(Outcome::Unconfirmed.as_str());
    let Row { at, last_ms, unconfirmed_ms } = query.fetch_one(conn).await?;
    let duration = |millis: i64| Duration::from_millis(u64::try_from(millis).unwrap_or(0));
    let handed_over = |last| HandedOver { at, last: duration(last), unconfirmed: unconfirmed_ms.map(duration) };
    Ok(last_ms.map(handed_over))
}

/// Counts how many of a job's latest attempts in a row were lost because their worker died or stopped answering.
pub async fn lost_in_a_row(conn: &mut Conn, job: JobId) -> Result<i32, StoreError> {
    let sql = "select count(*)::int from attempts where job_id = $1 and outcome = $2
                 and fence > coalesce((select max(fence) from attempts where job_id = $1 and outcome <> $2), 0)";
    Ok(sqlx::query_scalar(sql).bind(job).bind(Outcome::Lost.as_str()).fetch_one(conn).await?)
}
