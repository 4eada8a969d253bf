//! Reads the officer of a request, and the version of the case that the officer has read.

use crate::api::edge::{Code, IfMatch, Officer, Problem, current_request};
use crate::casework::officers::OfficerAtWork;
use crate::domain::people::remit::Remit;

/// Returns the officer with their remit, which is the agencies whose cases they handle. Fails with `forbidden` for
/// operators, because operators see no cases.
pub(super) fn at_work(officer: &Officer) -> Result<OfficerAtWork, Problem> {
    let remit = Remit::of(officer.role, &officer.agency).ok_or(Code::Forbidden)?;
    let trace = Some(current_request().traceparent.clone());
    Ok(OfficerAtWork { officer: officer.id, remit, trace })
}

/// Returns the version that the officer has read. Fails with `version_required` for `If-Match: *`, because an act needs
/// a version.
pub(super) fn seen(if_match: IfMatch) -> Result<i64, Problem> {
    if_match.version.ok_or_else(|| {
        Problem::new(Code::VersionRequired)
            .detail("If-Match 须为读到的 ETag", "If-Match must be the ETag of the case as it was read")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::edge::parameters::wire_ids::EXAMPLE;
    use crate::domain::item::AgencyCode;
    use crate::domain::kernel::ids::{OfficerId, SessionId};
    use crate::domain::people::staff::Role;

    #[test]
    fn operators_see_no_cases() {
        let of = |role: Role| Officer {
            id: OfficerId::from_uuid(EXAMPLE),
            session: SessionId::from_uuid(EXAMPLE),
            agency: AgencyCode::new("public-security"),
            role,
            next_step: None,
        };
        assert_eq!(at_work(&of(Role::Officer)).unwrap().remit.agencies(), [AgencyCode::new("public-security")]);
        assert_eq!(at_work(&of(Role::Operator)).unwrap_err().code(), Code::Forbidden);
    }
}
