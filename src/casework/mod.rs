//! The use cases: one file each, read top to bottom. Only here is a transaction opened, and only here committed.
//!
//! A use case reads what it needs, lets the domain decide, gathers the new state and all that it owes in one
//! [`Record`], saves it, and rings the [`Bell`] after the commit. No outside call is made while a transaction is open.

pub mod cases;
pub mod frame;
pub mod jobs;
pub mod notices;
pub mod officers;
pub mod people;
pub mod results;
pub mod upkeep;

use std::sync::Arc;
use std::time::Duration;

use crate::catalog::Catalog;
use crate::domain::delivery::parcel::CarrierCode;
use crate::domain::kernel::clock::{Clock, Instant};
use crate::domain::notice::notification::ChannelCode;
use crate::domain::notice::reach::Chain;
use crate::domain::work::job::Offer;
use crate::kill_point::{self, Step};
use crate::store::record::{self, Record, SaveError};
use crate::store::{Conn, Store, StoreError, Tx};

pub use crate::casework::frame::bell::Bell;
use crate::casework::frame::case_numbers::CaseNumbers;
use crate::files::Files;
use results::Gather;

/// What all use cases share. Cloning shares it.
#[derive(Clone)]
pub struct Casework {
    parts: Arc<Parts>,
    numbers: Arc<CaseNumbers>,
    gather: Arc<Gather>,
}

/// The parts of [`Casework`].
pub struct Parts {
    pub store: Store,
    /// What tells the time.
    pub clock: Clock,
    /// The items, the calendar and the templates.
    pub catalog: Catalog,
    /// The channels, in the order in which they are tried.
    pub chain: Chain,
    /// The channel that carries one-time codes.
    pub code_channel: Option<ChannelCode>,
    /// The carriers that this installation uses.
    pub carriers: Vec<CarrierCode>,
    /// How long an applicant is given to answer a supplement notice.
    pub answer_within: Duration,
    /// What is rung after a commit.
    pub bell: Bell,
    /// The contents of uploads.
    pub files: Files,
}

impl Casework {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self { parts: Arc::new(parts), numbers: Arc::default(), gather: Arc::default() }
    }

    #[must_use]
    pub fn store(&self) -> &Store {
        &self.parts.store
    }

    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.parts.catalog
    }

    /// The contents of uploads.
    #[must_use]
    pub fn files(&self) -> &Files {
        &self.parts.files
    }

    /// Now, by this process's clock.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.parts.clock.now()
    }

    /// Writes what a transition changed and owes.
    async fn save(&self, conn: &mut Conn, record: &Record, now: Instant) -> Result<Vec<Offer>, SaveError> {
        record::save(conn, self.store().keys(), record, now).await
    }

    /// Makes it last, and rings: for the jobs, and for the clients of those whom it concerns.
    async fn commit(&self, tx: Tx<'_>, record: &Record, offers: Vec<Offer>) -> Result<(), StoreError> {
        tx.commit().await?;
        self.ring(record, offers);
        Ok(())
    }

    /// Tells of what was committed.
    fn ring(&self, record: &Record, offers: Vec<Offer>) {
        kill_point::pass(Step::Committed, kill_point::NO_LANE);
        self.parts.bell.ring(offers, record.people());
    }
}
