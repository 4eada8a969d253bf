//! The kinds of jobs, one file each.

mod cancel_parcel;
mod check_upload;
mod order_parcel;
mod push;
mod read_callback;
mod remove_content;
mod send_login_code;
mod track_parcel;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::casework::jobs::{PendingPush, Prepared, PreparedPushes};
use crate::domain::kernel::clock::Stopwatch;
use crate::domain::notice::notification::ChannelCode;
use crate::domain::work::job::Work;
use crate::domain::work::outcome::Outcome;
use crate::store::StoreError;
use crate::store::jobs::{Claimed, Ending};
use crate::worker::attempts::{Attempt, Conclusion, Contact, Progress};
use crate::worker::workshop::Workshop;

/// A claimed job that is ready for its attempt.
pub struct PlannedJob {
    pub job: Claimed,
    /// Started just before the claim. So the lease is valid at least until this stopwatch shows the length of a lease.
    pub held_since: Stopwatch,
    pub plan: Plan,
}

pub struct Plan {
    work: Result<Work, serde_json::Error>,
    /// The prepared message of a push, if it was prepared together with those of other pushes.
    push: Option<Result<Prepared, StoreError>>,
}

impl Plan {
    /// Returns the kind of the job; `unknown` if this release cannot read the job's payload.
    pub fn kind(&self) -> &'static str {
        self.work.as_ref().map_or("unknown", Work::kind)
    }
}

/// Reads the payloads of claimed jobs. Prepares all pushes among them together, to save database statements.
pub async fn plan(workshop: &Workshop, claimed: Vec<Claimed>, held_since: Stopwatch) -> Vec<PlannedJob> {
    let read = |job: Claimed| {
        let plan = Plan { work: Work::deserialize(&job.payload), push: None };
        PlannedJob { job, held_since, plan }
    };
    let mut planned: Vec<PlannedJob> = claimed.into_iter().map(read).collect();
    let mut pushes = prepare_pushes(workshop, &planned).await;
    for PlannedJob { job, plan, .. } in &mut planned {
        plan.push = pushes.remove(&job.id());
    }
    planned
}

async fn prepare_pushes(workshop: &Workshop, jobs: &[PlannedJob]) -> PreparedPushes {
    let mut pushes: BTreeMap<&ChannelCode, Vec<PendingPush>> = BTreeMap::new();
    for PlannedJob { job, plan, .. } in jobs {
        if let Ok(Work::Push { notification, channel }) = &plan.work {
            pushes.entry(channel).or_default().push(push::pending(job, *notification));
        }
    }
    let mut prepared = PreparedPushes::new();
    for (channel, wanted) in pushes {
        prepared.append(&mut push::prepare(workshop, channel, &wanted).await);
    }
    prepared
}

/// Makes one attempt at a job.
pub async fn run(workshop: &Workshop, job: &Claimed, Plan { work, push }: Plan, progress: &Progress) -> Conclusion {
    let work = match work {
        Ok(work) => work,
        Err(error) => return unknown(job, &error),
    };
    let attempt = Attempt::new(workshop, job, &work, progress);
    let done = match attempt.one_too_many().await {
        Ok(None) => run_kind(&attempt, work, push).await,
        Ok(Some(why)) => Ok(give_up(&attempt, work, why)),
        Err(error) => Err(error),
    };
    done.unwrap_or_else(|error| attempt.not_begun(&error))
}

async fn run_kind(
    attempt: &Attempt<'_>,
    work: Work,
    push: Option<Result<Prepared, StoreError>>,
) -> Result<Conclusion, StoreError> {
    match work {
        Work::Push { notification, channel } => push::run(attempt, notification, &channel, push).await,
        Work::SendLoginCode { code, channel } => send_login_code::run(attempt, code, &channel).await,
        Work::OrderParcel { parcel, .. } => order_parcel::run(attempt, parcel).await,
        Work::TrackParcel { parcel, .. } => track_parcel::run(attempt, parcel).await,
        Work::CancelParcel { parcel, .. } => cancel_parcel::run(attempt, parcel).await,
        Work::ReadCallback { callback } => read_callback::run(attempt, callback).await,
        Work::RemoveContent { path } => remove_content::run(attempt, &path).await,
        Work::CheckUpload { upload } => check_upload::run(attempt, upload).await,
    }
}

/// Gives up a job that was tried too often. `why` says which limit was reached.
fn give_up(attempt: &Attempt<'_>, work: Work, why: String) -> Conclusion {
    tracing::error!(job = %attempt.job.id(), kind = %attempt.job.kind, why, "a job is given up");
    match work {
        Work::Push { notification, channel } => push::give_up(attempt, notification, channel, why),
        _ => Conclusion::plain(Ending::dead(attempt.job, Outcome::Spent, why), Contact::None),
    }
}

/// Gives up a job whose payload this release cannot read, because another release wrote it.
fn unknown(job: &Claimed, error: &serde_json::Error) -> Conclusion {
    tracing::error!(job = %job.id(), kind = %job.kind, "a job of an unknown kind");
    Conclusion::plain(Ending::dead(job, Outcome::UnknownKind, error.to_string()), Contact::None)
}
