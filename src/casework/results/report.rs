//! A decision as another system reports it, and what became of it.

use crate::casework::frame::idempotency::IdempotencyError;
use crate::domain::case::Ruling;
use crate::domain::delivery::address::PostalAddress;
use crate::domain::item::{AgencyCode, ItemCode};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::ClientId;
use crate::store::StoreError;
use crate::store::cases::VersionedCase;
use crate::store::reported::KnownAs;

/// A back-office system that reports decisions.
#[derive(Debug, Clone)]
pub struct Reporter {
    pub client: ClientId,
    /// Its name in `/results/{source}/…`; it sees only cases of this source.
    pub source: String,
    /// The agencies for which it may report decisions.
    pub agencies: Vec<AgencyCode>,
    /// The `traceparent` of the request.
    pub trace: Option<String>,
}

/// A decision as a back-office system reports it.
#[derive(Debug, Clone)]
pub struct NewResult {
    /// The system's own reference of the case.
    pub reference: String,
    pub item: ItemCode,
    pub applicant: KnownAs,
    pub ruling: Ruling,
    pub decided_at: Instant,
    /// How the result is to arrive.
    pub delivery: NewDelivery,
}

/// How a result is to arrive.
#[derive(Debug, Clone)]
pub enum NewDelivery {
    /// On the phone only.
    Electronic,
    Courier(PostalAddress),
    /// At a hall, by its code.
    Counter(String),
}

/// The outcome of one reported decision.
#[derive(Debug)]
pub enum Recorded {
    /// A case was opened.
    Created(VersionedCase),
    /// The decision was known already.
    Known(VersionedCase),
    /// The request that opened the case is repeated. The case is closed from the start, so it is still as it was then.
    Replayed(VersionedCase),
    /// The decision is refused; the others of its batch are not affected.
    Refused(RowRefusal),
}

/// A fault of a reported decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFault {
    /// The decision is dated in the future.
    InTheFuture,
    /// The decision is older than any agency.
    TooLongAgo,
    /// 行政许可法 38: a denial needs reasons.
    NoReasons,
    /// The item's result is not delivered this way.
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
    /// The item belongs to an agency for which the system may not report.
    #[error("the system may not decide for the agency of this item")]
    NotYourAgency,
    /// All faults of the decision.
    #[error("the decision is not in order")]
    Faulty(Vec<RowFault>),
    #[error("another decision was reported under this reference")]
    Conflict,
    #[error(transparent)]
    Idempotency(IdempotencyError),
    #[error("the batch holds the reference twice")]
    Repeated,
    /// The database refuses it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A decision, with the system and the request that report it.
#[derive(Debug, Clone)]
pub struct Reported {
    pub office: Reporter,
    pub result: NewResult,
    /// The key of the request, if the decision came alone.
    pub key: Option<String>,
}

impl Reported {
    /// What names the decision: the source, and its reference there.
    pub(super) fn key(&self) -> (String, String) {
        (self.office.source.clone(), self.result.reference.clone())
    }
}
