//! A decision as a back-office system reports it, and the outcome of the report.

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
    /// The name of the system as a source of cases, as in the paths `/results/{source}/…` of the API. The system sees
    /// only the cases of its source.
    pub source: String,
    /// The agencies for which the system may report decisions.
    pub agencies: Vec<AgencyCode>,
    /// The `traceparent` of the request.
    pub trace: Option<String>,
}

/// A decision as a back-office system reports it.
#[derive(Debug, Clone)]
pub struct NewResult {
    /// The reference that the system gave to the case.
    pub reference: String,
    pub item: ItemCode,
    pub applicant: KnownAs,
    pub ruling: Ruling,
    pub decided_at: Instant,
    pub delivery: NewDelivery,
}

/// How the result is to be delivered.
#[derive(Debug, Clone)]
pub enum NewDelivery {
    /// The applicant gets the result on the phone only.
    Electronic,
    Courier(PostalAddress),
    /// The applicant collects the result at the hall with this code.
    Counter(String),
}

/// The outcome of one reported decision.
#[derive(Debug)]
pub enum Recorded {
    /// A case was opened.
    Created(VersionedCase),
    /// Another request has already reported the same decision.
    Known(VersionedCase),
    /// The same request came before and reported the decision. This is the case as it is now: the applicant may have
    /// corrected the address since.
    Replayed(VersionedCase),
    /// The decision is refused. The other decisions of the batch are not affected.
    Refused(RowRefusal),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFault {
    InTheFuture,
    /// The decision is dated before the oldest agencies were founded.
    TooLongAgo,
    /// 行政许可法 38: a denial needs reasons.
    NoReasons,
    /// The item does not offer this way of delivery.
    WayNotOffered,
    UnknownHall,
}

#[derive(Debug, thiserror::Error)]
pub enum RowRefusal {
    /// The item is not in the catalogue: 目录之外不得实施行政审批.
    #[error("the item is not published")]
    ItemNotPublished,
    #[error("the system may not decide for the agency of this item")]
    NotYourAgency,
    #[error("the decision is not in order")]
    Faulty(Vec<RowFault>),
    #[error("another decision was reported under this reference")]
    Conflict,
    #[error(transparent)]
    Idempotency(IdempotencyError),
    #[error("the batch holds the reference twice")]
    Repeated,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A decision, with the system and the request that report it.
#[derive(Debug, Clone)]
pub struct Reported {
    pub office: Reporter,
    pub result: NewResult,
    /// The `Idempotency-Key`, if the request reports this decision only.
    pub key: Option<String>,
}

impl Reported {
    /// Returns the source and the source's own reference, which together identify the decision.
    pub(super) fn key(&self) -> (String, String) {
        (self.office.source.clone(), self.result.reference.clone())
    }
}
