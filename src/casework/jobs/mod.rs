//! What workers and operators do with jobs: claim, settle, sweep, replay.

mod callback;
mod claim;
mod effects;
mod lanes;
mod login_code;
mod operations;
mod parcel;
mod push;
mod receipt;
mod settle;
mod tasks;

pub use effects::{ChannelNews, Effect, ParcelChange, ParcelEffect, ParcelNews, PushEffect, PushEnd, Settlement};
pub use tasks::{LoginCodeTask, PendingPush, Prepared, PreparedPushes, PushTask, Swept, receipt_event};

use crate::casework::Casework;
use crate::store::Store;

use super::frame::bell::Bell;

/// The jobs, as workers see them.
#[derive(Clone, Copy)]
pub struct Jobs<'a>(&'a Casework);

/// The jobs, as operators see them: what waits, what died, and bringing it back to life. An operator's command needs no more
/// than these parts.
#[derive(Clone, Copy)]
pub struct Operations<'a> {
    pub store: &'a Store,
    /// Rung for replayed jobs. If no relay hears it, the sweeper of a running worker finds them.
    pub bell: &'a Bell,
}

impl Casework {
    pub const fn jobs(&self) -> Jobs<'_> {
        Jobs(self)
    }

    pub fn operations(&self) -> Operations<'_> {
        Operations { store: &self.parts.store, bell: &self.parts.bell }
    }
}
