//! The use cases, one file each, read from top to bottom. Transactions are opened and committed only here.
//!
//! A use case reads what it needs, lets the domain decide, gathers the new state and everything that it owes in one
//! [`crate::store::record::Record`], saves it, and rings the [`Bell`] after the commit. No outside call is made while a
//! transaction is open.
//!
//! [`Casework`] is what all use cases share. Each noun has a handle with its use cases: `casework.cases().submit(…)`,
//! `casework.officers().decide(…)`, `casework.jobs().settle(…)`. A handle is a view that costs nothing.

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

use crate::casework::frame::bell::Bell;
use crate::casework::frame::case_numbers::CaseNumbers;
use crate::casework::results::gather::Gather;
use crate::catalog::Catalog;
use crate::domain::delivery::parcel::CarrierCode;
use crate::domain::kernel::clock::{Clock, Instant};
use crate::domain::notice::notification::ChannelCode;
use crate::domain::notice::reach::Chain;
use crate::files::Files;
use crate::gateway::courier::Carriers;
use crate::store::Store;

/// The dependencies of all use cases. Clones share them.
#[derive(Clone)]
pub struct Casework {
    parts: Arc<CaseworkParts>,
    numbers: Arc<CaseNumbers>,
    gather: Arc<Gather>,
    carrier_codes: Arc<[CarrierCode]>,
}

/// What a [`Casework`] is made of.
pub struct CaseworkParts {
    pub store: Store,
    pub clock: Clock,
    /// The items, the calendar and the templates in force.
    pub catalog: Catalog,
    /// The channels, in the order in which they are tried.
    pub chain: Chain,
    /// The channel that carries one-time codes.
    pub code_channel: ChannelCode,
    /// The carriers that this installation uses.
    pub carriers: Carriers,
    /// How long an applicant has to answer a supplement notice.
    pub answer_within: Duration,
    /// Rung after each commit.
    pub bell: Bell,
    /// The contents of uploads.
    pub files: Files,
}

impl Casework {
    #[must_use]
    pub fn new(parts: CaseworkParts) -> Self {
        let carrier_codes = parts.carriers.iter().map(|carrier| carrier.code().clone()).collect();
        Self { parts: Arc::new(parts), numbers: Arc::default(), gather: Arc::default(), carrier_codes }
    }

    #[must_use]
    pub fn store(&self) -> &Store {
        &self.parts.store
    }

    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.parts.catalog
    }

    #[must_use]
    pub fn files(&self) -> &Files {
        &self.parts.files
    }

    /// The present by this process's clock.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.parts.clock.now()
    }
}
