//! The kinds of jobs, one file each: what is done, step by step.

mod cancel_parcel;
mod order_parcel;
mod push;
mod read_callback;
mod send_login_code;
mod track_parcel;

use super::Workshop;
use super::verdict::{Conclusion, Contact, again_or_dead};
use crate::domain::job::Work;
use crate::store::StoreError;
use crate::store::jobs::{Claimed, Ending};

/// Does a job.
pub async fn run(workshop: &Workshop, job: &Claimed) -> Conclusion {
    let work: Work = match serde_json::from_value(job.payload.clone()) {
        Ok(work) => work,
        Err(error) => return unknown(job, &error),
    };
    let done = match work {
        Work::Push { notification, channel } => push::run(workshop, job, notification, &channel).await,
        Work::SendLoginCode { code, channel } => send_login_code::run(workshop, job, code, &channel).await,
        Work::OrderParcel { parcel, .. } => order_parcel::run(workshop, job, parcel).await,
        Work::TrackParcel { parcel, .. } => track_parcel::run(workshop, job, parcel).await,
        Work::CancelParcel { parcel, .. } => cancel_parcel::run(workshop, job, parcel).await,
        Work::ReadCallback { callback } => read_callback::run(workshop, job, callback).await,
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
