//! What officers (审批人员) do with the cases of their agency.

pub mod accept;
pub mod decide;
pub mod disclose;
pub mod notice_supplement;
pub mod parcels;
pub mod read;
pub mod read_upload;

use crate::domain::case::Actor;
use crate::domain::ids::OfficerId;
use crate::domain::item::AgencyCode;
use crate::store::cases::Owner;

/// An officer at work. They see and change only what is their agency's.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Who.
    pub officer: OfficerId,
    /// Of which agency.
    pub agency: AgencyCode,
    /// The `traceparent` of the request.
    pub trace: Option<String>,
}

impl Desk {
    fn owner(&self) -> Owner<'_> {
        Owner::Agency(&self.agency)
    }

    const fn actor(&self) -> Actor {
        Actor::Officer(self.officer)
    }
}
