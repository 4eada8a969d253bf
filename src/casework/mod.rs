//! The use cases, one file each, read from top to bottom. Only this module begins and commits transactions.
//!
//! A use case reads what it needs and lets the domain decide. It collects the new state and its consequences
//! (notifications, parcels, jobs) in one [`crate::store::record::Record`]. It saves the record, commits, and rings the
//! [`Bell`], which announces the commit to other processes through Redis. No outside call is made while a transaction
//! is open.
//!
//! All use cases share one [`Casework`]. They are grouped in handles: `casework.cases().submit(…)`,
//! `casework.officers().decide(…)`, `casework.jobs().settle(…)`.

pub mod cases;
pub mod frame;
pub mod jobs;
pub mod notices;
pub mod officers;
pub mod people;
pub mod read_models;
pub mod results;
pub mod upkeep;

use std::sync::Arc;
use std::time::Duration;

use crate::casework::cases::submissions::Submissions;
use crate::casework::frame::bell::Bell;
use crate::casework::frame::case_numbers::CaseNumbers;
use crate::casework::results::reports::Reports;
use crate::catalog::Catalog;
use crate::domain::delivery::parcel::CarrierCode;
use crate::domain::kernel::clock::{Clock, Instant};
use crate::domain::notice::notification::ChannelCode;
use crate::domain::notice::reach::Chain;
use crate::files::Files;
use crate::gateway::courier::Carriers;
use crate::store::Store;

/// The dependencies and shared state of all use cases. Clones share both.
#[derive(Clone)]
pub struct Casework {
    parts: Arc<CaseworkParts>,
    numbers: Arc<CaseNumbers>,
    submissions: Arc<Submissions>,
    reports: Arc<Reports>,
    carrier_codes: Arc<[CarrierCode]>,
}

/// The dependencies of a [`Casework`].
pub struct CaseworkParts {
    pub store: Store,
    pub clock: Clock,
    /// The published catalogue in memory: items, regions, halls, the calendar of working days and the message
    /// templates.
    pub catalog: Catalog,
    /// The push channels, in the order in which they are tried.
    pub chain: Chain,
    /// The push channel over which one-time sign-in codes are sent.
    pub code_channel: ChannelCode,
    /// The carriers that this installation uses.
    pub carriers: Carriers,
    /// How long an applicant has to answer a supplement notice.
    pub answer_within: Duration,
    /// The shortest time between two looks at a parcel that its carrier's unsigned callbacks cause.
    pub hinted_look_every: Duration,
    pub bell: Bell,
    /// The object store with the contents of uploads.
    pub files: Files,
}

impl Casework {
    pub fn new(parts: CaseworkParts) -> Self {
        let carrier_codes = parts.carriers.iter().map(|carrier| carrier.code().clone()).collect();
        Self {
            parts: Arc::new(parts),
            numbers: Arc::default(),
            submissions: Arc::default(),
            reports: Arc::default(),
            carrier_codes,
        }
    }

    pub fn store(&self) -> &Store {
        &self.parts.store
    }

    pub fn catalog(&self) -> &Catalog {
        &self.parts.catalog
    }

    pub fn files(&self) -> &Files {
        &self.parts.files
    }

    pub fn now(&self) -> Instant {
        self.parts.clock.now()
    }
}
