//! The desk that a request comes from.

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::etag::IfMatch;
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::middleware::request_id::current_request;
use crate::api::edge::parameters::bearer::Officer;
use crate::casework::officers::Desk;
use crate::domain::kernel::text::Bilingual;
use crate::domain::people::staff::Role;

/// The desk of an officer. Operators look after jobs and gateways, and see no cases.
///
/// # Errors
/// `forbidden` for operators.
pub(super) fn desk(officer: &Officer) -> Result<Desk, Problem> {
    if officer.role == Role::Operator {
        return Err(Code::Forbidden.into());
    }
    let trace = Some(current_request().traceparent.clone());
    Ok(Desk { officer: officer.id, agency: officer.agency.clone(), trace })
}

/// The version that an officer has seen. Whoever acts on a case has read it, so `*` will not do.
///
/// # Errors
/// `version_required` for `*`.
pub(super) fn seen(if_match: IfMatch) -> Result<i64, Problem> {
    let one = || Bilingual::new("If-Match 须为读到的 ETag", "If-Match must be the ETag of the case as it was read");
    if_match.version.ok_or_else(|| Problem::new(Code::VersionRequired).detail(one()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::edge::parameters::wire_ids::EXAMPLE;
    use crate::domain::item::AgencyCode;
    use crate::domain::kernel::ids::{OfficerId, SessionId};

    #[test]
    fn operators_have_no_desk() {
        let of = |role: Role| Officer {
            id: OfficerId::from_uuid(EXAMPLE),
            session: SessionId::from_uuid(EXAMPLE),
            agency: AgencyCode::new("public-security"),
            role,
        };
        assert_eq!(desk(&of(Role::Officer)).unwrap().agency, AgencyCode::new("public-security"));
        assert_eq!(desk(&of(Role::Operator)).unwrap_err().code(), Code::Forbidden);
    }
}
