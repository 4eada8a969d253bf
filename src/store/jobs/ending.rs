//! The results of attempts at jobs, which [`settle`] writes.

use std::time::Duration;

use sqlx_macros::FromRow;

use super::{Claimed, millis};
use crate::domain::kernel::ids::JobId;
use crate::domain::work::job::JobState;
use crate::domain::work::outcome::Outcome;
use crate::store::{Conn, StoreError};

/// The result of an attempt, and the new state of its job.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a job whose attempt is not settled is tried again"]
pub struct Ending {
    attempt: AttemptKey,
    state: &'static str,
    delay_ms: i64,
    counts: bool,
    unclear: i32,
    told_absent: bool,
    outcome: Outcome,
    detail: String,
    reference: Option<String>,
    trace: Option<String>,
    awaits: Option<String>,
}

/// An attempt: its job, and the fence number under which the worker claimed the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, FromRow)]
pub struct AttemptKey {
    #[sqlx(rename = "job_id")]
    pub job: JobId,
    pub fence: i64,
}

impl Ending {
    pub fn done(job: &Claimed, outcome: Outcome, detail: String, reference: Option<String>) -> Self {
        Self { reference: reference.map(keepable), ..Self::of(job, JobState::Done, Duration::ZERO, outcome, detail) }
    }

    /// The job is given up and becomes a dead letter, which an operator can replay.
    pub fn dead(job: &Claimed, outcome: Outcome, detail: String) -> Self {
        Self::of(job, JobState::Dead, Duration::ZERO, outcome, detail)
    }

    /// The job is tried again after a while.
    pub fn again(job: &Claimed, after: Duration, outcome: Outcome, detail: String) -> Self {
        Self::of(job, JobState::Pending, after, outcome, detail)
    }

    /// The job is tried again after a while, and this attempt does not count towards the limit of the retry policy.
    pub fn snooze(job: &Claimed, after: Duration, detail: String) -> Self {
        Self { counts: false, ..Self::again(job, after, Outcome::Snoozed, detail) }
    }

    /// A look-up at the gateway found no trace of an attempt with an unknown outcome. The gateway is asked again after
    /// a while.
    pub fn told_absent(job: &Claimed, after: Duration, detail: String) -> Self {
        Self { told_absent: true, ..Self::snooze(job, after, detail) }
    }

    fn of(job: &Claimed, state: JobState, after: Duration, outcome: Outcome, detail: String) -> Self {
        Self {
            attempt: AttemptKey { job: job.id, fence: job.fence },
            state: state.as_str(),
            delay_ms: millis(after),
            counts: true,
            unclear: job.unclear,
            told_absent: false,
            outcome,
            detail: keepable(detail),
            reference: None,
            trace: job.trace.clone(),
            awaits: None,
        }
    }

    /// Sets the number of attempts with an unknown outcome.
    pub fn with_unclear(self, unclear: i32) -> Self {
        Self { unclear, ..self }
    }

    /// Replaces the outcome of the attempt.
    pub fn called(self, outcome: Outcome) -> Self {
        Self { outcome, ..self }
    }

    /// Makes the job wait for an event. [`super::hasten_awaiting`] makes the job due when the event happens.
    pub fn awaiting(self, event: String) -> Self {
        Self { awaits: Some(event), ..self }
    }

    /// Returns the ending to write if the database refuses the consequences of this ending: the job becomes a dead
    /// letter. The outcome of the attempt stays unknown, so a replay of the job looks it up first.
    pub fn unsettled(self, why: String) -> Self {
        let unclear = self.unclear.saturating_add(1);
        Self {
            state: JobState::Dead.as_str(),
            outcome: Outcome::Unsettled,
            detail: why,
            counts: true,
            unclear,
            told_absent: false,
            awaits: None,
            ..self
        }
    }

    /// Returns the ending to write if the database refuses to store this ending: the job becomes a dead letter.
    pub fn given_up(self) -> Self {
        Self {
            state: JobState::Dead.as_str(),
            delay_ms: 0,
            counts: true,
            outcome: Outcome::Unwritable,
            detail: "what it ended with cannot be written down".to_owned(),
            reference: None,
            ..self
        }
    }

    #[must_use]
    pub const fn id(&self) -> JobId {
        self.attempt.job
    }

    #[must_use]
    pub const fn attempt(&self) -> AttemptKey {
        self.attempt
    }

    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The state of the job after the attempt: `pending`, `done` or `dead`.
    #[must_use]
    pub const fn state(&self) -> &'static str {
        self.state
    }

    /// True if the job becomes a dead letter.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.state == JobState::Dead.as_str()
    }

    /// The `traceparent` of the request that enqueued the job. The jobs that follow from this job get the same value.
    #[must_use]
    pub fn trace(&self) -> Option<&str> {
        self.trace.as_deref()
    }
}

/// Removes NUL from a gateway's text, because PostgreSQL cannot store it.
fn keepable(words: String) -> String {
    if words.contains('\0') { words.replace('\0', "") } else { words }
}

/// Settles the attempts whose claims are still valid, and returns those attempts. A worker that lost its lease to
/// another worker settles nothing, even if both settle in the same statement. If a worker did not receive the
/// database's answer and settles the same attempt a second time, the second time changes nothing.
pub async fn settle(conn: &mut Conn, endings: &[&Ending]) -> Result<Vec<AttemptKey>, StoreError> {
    // The update also returns the columns that the insert needs, so that the rows are joined only once.
    let sql = "with given as (
            select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::bigint[], $5::boolean[], $6::integer[],
                                 $7::boolean[], $8::text[], $9::text[], $10::text[], $11::text[])
                as t (id, fence, state, delay_ms, counts, unclear, told_absent, outcome, detail, reference, awaits)
        ), held as (
            update jobs j
            set state = g.state, lease_until = null, offered_at = null, unclear = g.unclear, told_absent = g.told_absent,
                awaits = g.awaits, attempts = j.attempts - (not g.counts)::int,
                due_at = now() + g.delay_ms * interval '1 millisecond',
                cause = case when g.state = 'done' then null else left(g.detail, 500) end,
                finished_at = case when g.state <> 'pending' then now() end
            from given g
            where j.id = g.id and j.fence = g.fence and j.state = 'pending' and j.lease_until is not null
            returning j.id, j.fence, j.worker, j.claimed_at, g.outcome, g.detail, g.reference
        )
        insert into attempts (job_id, fence, worker, started_at, ended_at, outcome, detail, reference)
        select id, fence, worker, claimed_at, now(), outcome, left(detail, 500), reference from held
        returning job_id, fence";
    let settled = sqlx::query_as(sql)
        .bind(column(endings, |ending| ending.attempt.job))
        .bind(column(endings, |ending| ending.attempt.fence))
        .bind(column(endings, |ending| ending.state))
        .bind(column(endings, |ending| ending.delay_ms))
        .bind(column(endings, |ending| ending.counts))
        .bind(column(endings, |ending| ending.unclear))
        .bind(column(endings, |ending| ending.told_absent))
        .bind(column(endings, |ending| ending.outcome.as_str()))
        .bind(column(endings, |ending| ending.detail.as_str()))
        .bind(column(endings, |ending| ending.reference.as_deref()))
        .bind(column(endings, |ending| ending.awaits.as_deref()))
        .fetch_all(conn)
        .await?;
    Ok(settled)
}

fn column<'e, T>(endings: &[&'e Ending], value: impl Fn(&'e Ending) -> T) -> Vec<T> {
    endings.iter().map(|ending| value(ending)).collect()
}
