//! Decisions that were made in another system (办结结果回传): taken over once each, with the same push and parcel.

mod batch;
mod gather;
mod record;
mod row;

pub use gather::Gather;
pub use record::Reported;

use crate::casework::frame::idempotency::OnceError;
use crate::domain::case::Ruling;
use crate::domain::delivery::address::PostalAddress;
use crate::domain::item::{AgencyCode, ItemCode};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::ClientId;
use crate::store::StoreError;
use crate::store::cases::VersionedCase;
use crate::store::reported::KnownAs;

/// A back-office system at work.
#[derive(Debug, Clone)]
pub struct BackOffice {
    pub client: ClientId,
    /// Its name in `/results/{source}/…`; it sees only what carries it.
    pub source: String,
    /// The agencies for which it may decide.
    pub agencies: Vec<AgencyCode>,
    /// The `traceparent` of the request.
    pub trace: Option<String>,
}

/// A decision as another system reports it.
#[derive(Debug, Clone)]
pub struct NewResult {
    /// Its own reference, which names the case for it.
    pub reference: String,
    /// On which item.
    pub item: ItemCode,
    pub applicant: KnownAs,
    /// What was decided.
    pub ruling: Ruling,
    pub decided_at: Instant,
    /// How the result is to arrive.
    pub delivery: NewDelivery,
}

/// How a result is to arrive.
#[derive(Debug, Clone)]
pub enum NewDelivery {
    /// On the phone alone.
    Electronic,
    Courier(PostalAddress),
    /// At a hall.
    Counter(String),
}

/// What became of one reported decision.
#[derive(Debug)]
pub enum Recorded {
    /// It is a case now.
    Created(VersionedCase),
    /// It was known already.
    Known(VersionedCase),
    /// It is the request that made the case, come again. The case is closed from the start, so it still is as it was then.
    Replayed(VersionedCase),
    /// It is refused; the others of its batch are not affected.
    Refused(RowRefusal),
}

/// What is wrong with a reported decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFault {
    /// Decisions are reported after they are made.
    InTheFuture,
    /// There were no agencies yet.
    TooLongAgo,
    /// 行政许可法 38: a denial needs reasons.
    NoReasons,
    /// The item's result is not delivered in this way.
    WayNotOffered,
    /// There is no such hall.
    UnknownHall,
}

/// Why one reported decision is refused.
#[derive(Debug, thiserror::Error)]
pub enum RowRefusal {
    /// 目录之外不得实施行政审批.
    #[error("the item is not published")]
    ItemNotPublished,
    /// The item belongs to an agency for which the system may not decide.
    #[error("the system may not decide for the agency of this item")]
    NotYourAgency,
    /// All that is wrong with what it says.
    #[error("the decision is not in order")]
    Faulty(Vec<RowFault>),
    /// Another decision was reported under this reference.
    #[error("another decision was reported under this reference")]
    Conflict,
    /// The same request is under way, or its key was used for another report.
    #[error(transparent)]
    Once(OnceError),
    /// The same reference stands twice in the batch.
    #[error("the reference stands twice in this batch")]
    Repeated,
    /// The record refuses it.
    #[error(transparent)]
    Store(#[from] StoreError),
}
