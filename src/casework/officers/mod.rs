//! What officers (审批人员) do with the cases of their agency.

pub mod accept;
pub mod decide;
pub mod disclose;
pub mod notice_supplement;
pub mod parcels;
pub mod read;
pub mod read_upload;

use serde_json::Value;

use crate::casework::frame::change::Act;
use crate::casework::frame::idempotency::Once;
use crate::domain::case::{Actor, Case};
use crate::domain::item::AgencyCode;
use crate::domain::kernel::ids::{CaseId, OfficerId};
use crate::store::cases::Owner;

/// An officer at work. They see and change only what is their agency's.
#[derive(Debug, Clone)]
pub struct Desk {
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

/// An act that an officer asks for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// On which case.
    pub case: CaseId,
    /// At which version it was read: two officers can never both decide.
    pub version: i64,
    /// Asked once, whatever the network does.
    pub once: Option<&'a Once>,
}

impl<'a> Asked<'a> {
    /// The act of an officer at this desk.
    pub(in crate::casework) fn act(
        self,
        desk: &'a Desk,
        name: &'static str,
        cause: &'a (dyn Fn(&Case) -> Value + Sync),
    ) -> Act<'a> {
        Act {
            case: self.case,
            owner: desk.owner(),
            version: Some(self.version),
            actor: desk.actor(),
            name,
            cause,
            trace: desk.trace.as_deref(),
        }
    }
}
