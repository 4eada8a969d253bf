//! The remit (职权范围) of an officer: which cases the officer may see and act on. No other file decides this.
//!
//! The remit follows from the role and the agency of the account. An agency's officers see its cases of the whole
//! district.

use crate::domain::item::AgencyCode;
use crate::domain::people::staff::Role;

/// The agencies whose cases the officer may see and act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remit(Vec<AgencyCode>);

impl Remit {
    /// The remit of an account. `None` for operators: they handle jobs and gateways and see no cases.
    pub fn of(role: Role, agency: &AgencyCode) -> Option<Self> {
        match role {
            Role::Officer | Role::Supervisor => Some(Self(vec![agency.clone()])),
            Role::Operator => None,
        }
    }

    pub fn agencies(&self) -> &[AgencyCode] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_see_no_cases_and_other_roles_see_those_of_their_agency() {
        let agency = AgencyCode::new("public-security");
        for role in Role::ALL {
            let remit = Remit::of(role, &agency);
            let agencies = remit.as_ref().map(Remit::agencies);
            assert_eq!(agencies, (role != Role::Operator).then_some(std::slice::from_ref(&agency)));
        }
    }
}
