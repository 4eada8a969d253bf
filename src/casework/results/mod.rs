//! Records decisions that were made in back-office systems and that these systems report (办结结果回传). Each decision opens
//! a case that is decided from the start, and leads to the same push and parcel as a decision that an officer makes in
//! Songda.

mod batch;
mod record;
mod record_one;
mod report;
pub(super) mod reports;
mod row;

pub use report::{NewDelivery, NewResult, Recorded, Reported, Reporter, RowFault, RowRefusal};

use crate::casework::Casework;

#[derive(Clone, Copy)]
pub struct Results<'a>(&'a Casework);

impl Casework {
    pub const fn results(&self) -> Results<'_> {
        Results(self)
    }
}
