//! Decisions that were made in another system (办结结果回传): each is taken over one time, with the same push and parcel.

mod batch;
pub(super) mod gather;
mod record;
mod record_one;
mod report;
mod row;

pub use report::{NewDelivery, NewResult, Recorded, Reported, Reporter, RowFault, RowRefusal};

use crate::casework::Casework;

/// The results that other systems report.
#[derive(Clone, Copy)]
pub struct Results<'a>(&'a Casework);

impl Casework {
    pub const fn results(&self) -> Results<'_> {
        Results(self)
    }
}
