//! 行为人与本人: the actor of an act, and the party on whose behalf it is done. The history of a case records both.
//!
//! A resident acts for themselves. An officer, a back-office system and a carrier act on behalf of the agency that owns
//! the case.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::delivery::parcel::CarrierCode;
use crate::domain::item::AgencyCode;
use crate::domain::kernel::ids::{ClientId, OfficerId, PersonId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Actor {
    Person(PersonId),
    Officer(OfficerId),
    Client(ClientId),
    Carrier(CarrierCode),
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => write!(f, "person:{id}"),
            Self::Officer(id) => write!(f, "officer:{id}"),
            Self::Client(id) => write!(f, "client:{id}"),
            Self::Carrier(code) => write!(f, "carrier:{code}"),
            Self::System => f.write_str("system"),
        }
    }
}

/// The party on whose behalf an act is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behalf {
    Person(PersonId),
    Agency(AgencyCode),
}

impl fmt::Display for Behalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => write!(f, "person:{id}"),
            Self::Agency(code) => write!(f, "agency:{code}"),
        }
    }
}

impl From<PersonId> for Behalf {
    fn from(person: PersonId) -> Self {
        Self::Person(person)
    }
}

impl From<AgencyCode> for Behalf {
    fn from(agency: AgencyCode) -> Self {
        Self::Agency(agency)
    }
}

/// An actor and the party that the actor acts for. Use cases of applicants take an `Acting<PersonId>`: the data that
/// they change belong to `for_`, and `by` is responsible for the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acting<For = Behalf> {
    pub by: Actor,
    pub for_: For,
}

impl Acting<PersonId> {
    /// A person who acts for themselves.
    pub const fn own(person: PersonId) -> Self {
        Self { by: Actor::Person(person), for_: person }
    }
}

impl<For: Into<Behalf> + Clone> Acting<For> {
    /// Converts to the type that histories store.
    pub fn on_behalf(&self) -> Acting {
        Acting { by: self.by.clone(), for_: self.for_.clone().into() }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_stored_text_of_an_actor_never_changes() {
        let person = PersonId::from_uuid(Uuid::from_u128(1));
        let stored = |acting: Acting| [acting.by.to_string(), acting.for_.to_string()];
        let own = Acting::own(person).on_behalf();
        assert_eq!(stored(own), [format!("person:{person}"), format!("person:{person}")]);
        let officer = OfficerId::from_uuid(Uuid::from_u128(2));
        let office = Acting { by: Actor::Officer(officer), for_: AgencyCode::new("police") }.on_behalf();
        assert_eq!(stored(office), [format!("officer:{officer}"), "agency:police".to_owned()]);
    }
}
