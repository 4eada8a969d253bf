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
use super::verdict::{Conclusion, Contact, again_or_dead};
use crate::casework::jobs::{Prepared, PreparedPushes};
use crate::domain::clock::Stopwatch;
use crate::domain::ids::{JobId, NotificationId};
use crate::domain::job::Work;
use crate::domain::notification::ChannelCode;
use crate::store::StoreError;
use crate::store::jobs::{Claimed, Ending};

/// A claimed job, and what it is about to do.
pub struct Begun {
    /// The job.
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
    let mut pushes: BTreeMap<&ChannelCode, Vec<(JobId, NotificationId)>> = BTreeMap::new();
    for (work, job) in works {
        if let Ok(Work::Push { notification, channel }) = work {
            pushes.entry(channel).or_default().push((job.id(), *notification));
        }
    }
    let mut prepared = PreparedPushes::new();
    for (channel, wanted) in pushes {
        prepared.append(&mut push::prepare(workshop, channel, &wanted).await);
    }
    prepared
}

/// Does a job.
pub async fn run(workshop: &Workshop, job: &Claimed, Plan { work, push }: Plan) -> Conclusion {
    let work = match work {
        Ok(work) => work,
        Err(error) => return unknown(job, &error),
    };
    let done = match work {
        Work::Push { notification, channel } => push::run(workshop, job, notification, &channel, push).await,
        Work::SendLoginCode { code, channel } => send_login_code::run(workshop, job, code, &channel).await,
        Work::OrderParcel { parcel, .. } => order_parcel::run(workshop, job, parcel).await,
        Work::TrackParcel { parcel, .. } => track_parcel::run(workshop, job, parcel).await,
        Work::CancelParcel { parcel, .. } => cancel_parcel::run(workshop, job, parcel).await,
        Work::ReadCallback { callback } => read_callback::run(workshop, job, callback).await,
        Work::RemoveContent { path } => remove_content::run(workshop, job, &path).await,
    };
    done.unwrap_or_else(|error| not_begun(workshop, job, error))
}

/// A kind that this binary does not know (an older or newer one promised it), or a payload that it cannot read.
fn unknown(job: &Claimed, error: &serde_json::Error) -> Conclusion {
    tracing::error!(job = %job.id(), kind = %job.kind, "a job of an unknown kind");
    Conclusion::plain(Ending::dead(job, "unknown_kind", error.to_string()), Contact::None)
}

/// The record could not be read; nothing was done outside yet.
fn not_begun(workshop: &Workshop, job: &Claimed, error: StoreError) -> Conclusion {
    let ending = match error {
        StoreError::Unavailable(_) => {
            again_or_dead(job, &workshop.settings.retry, None, "no_record", error.to_string())
        }
        StoreError::Constraint(_) | StoreError::Broken(_) => {
            tracing::error!(job = %job.id(), %error, "a job cannot be begun");
            Ending::dead(job, "broken_record", error.to_string())
        }
    };
    Conclusion::plain(ending, Contact::None)
}
