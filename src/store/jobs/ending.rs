//! How attempts end, and the settlement that writes it down.

use std::time::Duration;

use uuid::Uuid;

use super::{Claimed, millis};
use crate::domain::kernel::ids::JobId;
use crate::domain::work::job::JobState;
use crate::store::{Conn, StoreError};

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    trace: Option<String>,
    awaits: Option<String>,
}

impl Ending {
    /// The job is done.
    #[must_use]
    pub fn done(job: &Claimed, outcome: &'static str, detail: String, reference: Option<String>) -> Self {
        let reference = reference.map(keepable);
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

    /// The `traceparent` of the request that promised the job, and with it whatever follows.
    #[must_use]
    pub fn trace(&self) -> Option<&str> {
        self.trace.as_deref()
    }

    /// What the attempt came to: `delivered`, `throttled`, `lost`.
    #[must_use]
    pub const fn outcome(&self) -> &'static str {
        self.outcome
    }

    /// The state that it leaves its job in.
    #[must_use]
    pub const fn state(&self) -> &'static str {
        self.state
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

    /// The same ending under another name.
    #[must_use]
    pub fn called(self, outcome: &'static str) -> Self {
        Self { outcome, ..self }
    }

    /// The same ending of a job that waits for an event: [`super::hasten_awaiting`] makes it due when that happens.
    #[must_use]
    pub fn awaiting(self, event: String) -> Self {
        Self { awaits: Some(event), ..self }
    }

    /// What is written down in place of an ending whose effects the record refuses. What the attempt did outside stays in
    /// doubt, so a replay clears that up first.
    #[must_use]
    pub fn unsettled(self, why: String) -> Self {
        let unclear = self.unclear.saturating_add(1);
        Self {
            state: JobState::Dead.as_str(),
            outcome: "unsettled",
            detail: why,
            counts: true,
            unclear,
            told_absent: false,
            awaits: None,
            ..self
        }
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
            detail: keepable(detail),
            reference: None,
            trace: job.trace.clone(),
            awaits: None,
        }
    }

    /// The same attempt, after which the job is given up, because what it ended with cannot be written down.
    #[must_use]
    pub fn given_up(self) -> Self {
        let detail = "what it ended with cannot be written down".to_owned();
        let (state, reference) = (JobState::Dead.as_str(), None);
        Self { state, delay_ms: 0, counts: true, outcome: "unwritable", detail, reference, ..self }
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

/// A gateway's own words as PostgreSQL keeps them: it keeps no NUL.
fn keepable(words: String) -> String {
    if words.contains('\0') { words.replace('\0', "") } else { words }
}

/// Which attempt at which job: the job, and the fence under which it was claimed.
pub type AttemptId = (JobId, i64);

/// Settles attempts whose claim still holds, and returns those that it did settle. A worker that lost its lease to another
/// settles nothing, even where both hand in together; nor does one that settles anew because the answer was lost.
///
/// # Errors
/// When the database is unavailable.
pub async fn settle(conn: &mut Conn, endings: &[&Ending]) -> Result<Vec<AttemptId>, StoreError> {
    // What was given is handed through the update, so that nothing is joined with it twice.
    let held: Vec<(Uuid, i64)> = sqlx::query_as(
        "with given as (
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
        returning job_id, fence",
    )
    .bind(column(endings, |ending| ending.id))
    .bind(column(endings, |ending| ending.fence))
    .bind(column(endings, |ending| ending.state))
    .bind(column(endings, |ending| ending.delay_ms))
    .bind(column(endings, |ending| ending.counts))
    .bind(column(endings, |ending| ending.unclear))
    .bind(column(endings, |ending| ending.told_absent))
    .bind(column(endings, |ending| ending.outcome))
    .bind(column(endings, |ending| ending.detail.as_str()))
    .bind(column(endings, |ending| ending.reference.as_deref()))
    .bind(column(endings, |ending| ending.awaits.as_deref()))
    .fetch_all(conn)
    .await?;
    Ok(held.into_iter().map(|(job, fence)| (JobId::from_uuid(job), fence)).collect())
}

fn column<'e, T>(endings: &[&'e Ending], value: impl Fn(&'e Ending) -> T) -> Vec<T> {
    endings.iter().map(|ending| value(ending)).collect()
}
