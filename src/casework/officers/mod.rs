//! The use cases of officers (审批人员). An officer sees and changes only the cases of their remit: the agencies for
//! which the officer works.

pub mod accept;
pub mod decide;
pub mod disclose;
pub mod label;
pub mod notice_supplement;
pub mod parcels;
pub mod read;
pub mod read_upload;

use serde_json::Value;

use crate::casework::Casework;
use crate::casework::frame::change::CaseAct;
use crate::casework::frame::idempotency::IdempotentRequest;
use crate::domain::case::Case;
use crate::domain::case::act::Act;
use crate::domain::item::AgencyCode;
use crate::domain::kernel::ids::{CaseId, OfficerId};
use crate::domain::people::acting::{Acting, Actor};
use crate::domain::people::remit::Remit;
use crate::store::cases::Owner;

#[derive(Clone, Copy)]
pub struct Officers<'a>(&'a Casework);

impl Casework {
    pub const fn officers(&self) -> Officers<'_> {
        Officers(self)
    }
}

/// The officer who makes a request.
#[derive(Debug, Clone)]
pub struct OfficerAtWork {
    pub officer: OfficerId,
    pub remit: Remit,
    /// The `traceparent` of the request.
    pub trace: Option<String>,
}

impl OfficerAtWork {
    fn owner(&self) -> Owner<'_> {
        Owner::Remit(&self.remit)
    }

    const fn actor(&self) -> Actor {
        Actor::Officer(self.officer)
    }

    /// Returns the officer as actor, who acts for the agency of the case.
    fn acting(&self, agency: &AgencyCode) -> Acting {
        Acting { by: self.actor(), for_: agency.clone().into() }
    }
}

/// The case on which an officer wants to act.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub case: CaseId,
    /// The version of the case that the officer has read. The act is refused if the case is at another version.
    pub version: i64,
    pub request: Option<&'a IdempotentRequest>,
}

impl<'a> Asked<'a> {
    fn by(self, officer: &'a OfficerAtWork, act: Act, cause: &'a (dyn Fn(&Case) -> Value + Sync)) -> CaseAct<'a> {
        CaseAct {
            case: self.case,
            owner: officer.owner(),
            version: Some(self.version),
            by: officer.actor(),
            act,
            cause,
            trace: officer.trace.as_deref(),
        }
    }
}
