//! The kinds of jobs, one file each: what is done, step by step.

mod cancel_parcel;
mod order_parcel;
mod push;
mod read_callback;
mod remove_content;
mod send_login_code;
mod track_parcel;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Workshop;
use crate::casework::jobs::{PendingPush, Prepared, PreparedPushes};
use crate::domain::kernel::clock::Stopwatch;
use crate::domain::notice::notification::ChannelCode;
use crate::domain::work::job::Work;
use crate::store::StoreError;
use crate::store::jobs::{Claimed, Ending};
use crate::worker::pool::attempt::{Attempt, Outside};
use crate::worker::pool::verdict::{Conclusion, Contact};

/// A claimed job, and what it is about to do.
pub struct Begun {
    pub job: Claimed,
    /// For how long it is held.
    pub since: Stopwatch,
    /// What it will do.
    pub plan: Plan,
}

/// What a job will do.
pub struct Plan {
    work: Result<Work, serde_json::Error>,
    /// For a push: what it needs, if that was prepared together with others.
    push: Option<Result<Prepared, StoreError>>,
}

impl Plan {
    /// The kind of the job, if this program knows it.
    pub fn kind(&self) -> &'static str {
        self.work.as_ref().map_or("unknown", Work::kind)
    }
}

/// Plans claimed jobs. Pushes come in thousands, and are prepared together.
pub async fn plan(workshop: &Workshop, claimed: Vec<Claimed>, since: Stopwatch) -> Vec<Begun> {
    let read = |job: Claimed| (Work::deserialize(&job.payload), job);
    let works: Vec<(Result<Work, _>, Claimed)> = claimed.into_iter().map(read).collect();
    let mut pushes = prepare_pushes(workshop, &works).await;
    let begin = |(work, job): (_, Claimed)| {
        let plan = Plan { work, push: pushes.remove(&job.id()) };
        Begun { job, since, plan }
    };
    works.into_iter().map(begin).collect()
}

async fn prepare_pushes(workshop: &Workshop, works: &[(Result<Work, serde_json::Error>, Claimed)]) -> PreparedPushes {
    let mut pushes: BTreeMap<&ChannelCode, Vec<PendingPush>> = BTreeMap::new();
    for (work, job) in works {
        if let Ok(Work::Push { notification, channel }) = work {
            pushes.entry(channel).or_default().push(push::pending(job, *notification));
        }
    }
    let mut prepared = PreparedPushes::new();
    for (channel, wanted) in pushes {
        prepared.append(&mut push::prepare(workshop, channel, &wanted).await);
    }
    prepared
}

/// Does a job.
pub async fn run(workshop: &Workshop, job: &Claimed, Plan { work, push }: Plan, outside: &Outside) -> Conclusion {
    let work = match work {
        Ok(work) => work,
        Err(error) => return unknown(job, &error),
    };
    let attempt = Attempt::new(workshop, job, &work, outside);
    let done = match attempt.one_too_many().await {
        Ok(None) => take(&attempt, work, push).await,
        Ok(Some(why)) => Ok(give_up(&attempt, work, why)),
        Err(error) => Err(error),
    };
    done.unwrap_or_else(|error| attempt.not_begun(&error))
}

async fn take(
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
    }
}

/// Gives a job up without another attempt.
fn give_up(attempt: &Attempt<'_>, work: Work, why: String) -> Conclusion {
    tracing::error!(job = %attempt.job.id(), kind = %attempt.job.kind, why, "a job is given up untried");
    match work {
        Work::Push { notification, channel } => push::give_up(attempt, notification, channel, why),
        _ => Conclusion::plain(Ending::dead(attempt.job, "spent", why), Contact::None),
    }
}

/// A kind that this binary does not know (an older or newer one promised it), or a payload that it cannot read.
fn unknown(job: &Claimed, error: &serde_json::Error) -> Conclusion {
    tracing::error!(job = %job.id(), kind = %job.kind, "a job of an unknown kind");
    Conclusion::plain(Ending::dead(job, "unknown_kind", error.to_string()), Contact::None)
}
