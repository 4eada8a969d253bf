//! The use cases of workers (claim, settle and sweep jobs) and of operators (list and replay jobs).

mod callback;
mod check_upload;
mod claim;
mod effects;
mod hint;
mod lanes;
mod operations;
mod parcel;
mod push;
mod receipt;
mod settle;
mod tasks;

pub use check_upload::{UncheckedError, UploadToCheck};
pub use effects::{ChannelNews, Effect, ParcelChange, ParcelEffect, ParcelNews, PushEffect, PushEnd, Settlement};
pub use tasks::{PendingPush, Prepared, PreparedPushes, PushTask, Swept, receipt_event};

use super::frame::bell::Bell;
use crate::casework::Casework;
use crate::store::{Store, StoreError};

/// The workers' use cases.
#[derive(Clone, Copy)]
pub struct Jobs<'a>(&'a Casework);

/// The operators' use cases. They need only these two fields, so `songda jobs` works without a whole [`Casework`].
#[derive(Clone, Copy)]
pub struct Operations<'a> {
    pub store: &'a Store,
    /// Announces replayed jobs to workers, if this process runs a relay (the task that announces jobs through Redis).
    /// Otherwise the sweeper of a running worker finds the jobs in the database.
    pub bell: &'a Bell,
}

/// The error if a row to which a job refers does not exist.
fn missing(id: impl std::fmt::Display) -> StoreError {
    StoreError::Broken(format!("{id} is not there"))
}

impl Casework {
    pub const fn jobs(&self) -> Jobs<'_> {
        Jobs(self)
    }

    pub fn operations(&self) -> Operations<'_> {
        Operations { store: &self.parts.store, bell: &self.parts.bell }
    }
}
