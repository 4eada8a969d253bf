//! The submissions that this process is about to write.

use crate::casework::frame::gather::Gather;
use crate::domain::kernel::ids::DraftId;
use crate::store::record::{Record, SaveError};

/// Submissions that come at the same moment are written in one transaction.
pub type Submissions = Gather<Submission, Result<(), SaveError>>;

/// Everything that one submission writes.
#[derive(Clone)]
pub struct Submission {
    pub draft: DraftId,
    pub record: Record,
}
