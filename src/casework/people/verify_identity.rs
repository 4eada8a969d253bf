//! A person proves who they are (实名认证): name and resident ID, confirmed by an identity gateway.

use super::{People, commit};
use crate::domain::clock::beijing_day;
use crate::domain::identity::{ResidentId, ResidentIdFault};
use crate::domain::ids::PersonId;
use crate::domain::person::{Person, VerifiedIdentity};
use crate::domain::private::Private;
use crate::gateway::identity::IdentityFact;
use crate::store::people::{self, ONE_PERSON_PER_RESIDENT_ID};
use crate::store::{StoreError, Tx};

/// The longest name that registers take.
const LONGEST_NAME: usize = 50;

/// Why a person is not verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There is no such person.
    #[error("no such person")]
    NotFound,
    /// The name is empty, too long, or holds what no name holds.
    #[error("not a name")]
    Name,
    /// The number is none.
    #[error("not a resident ID: {0}")]
    ResidentId(#[from] ResidentIdFault),
    /// The register does not know this name with this number.
    #[error("name and number do not belong together")]
    NotConfirmed,
    /// The person was verified with another number before.
    #[error("verified with another number before")]
    VerifiedAsAnother,
    /// Another person here was verified with this number.
    #[error("another person was verified with this number")]
    Taken,
    /// The gateway gave no useful answer.
    #[error("the identity gateway gave no useful answer: {0}")]
    Gateway(String),
    /// Nobody is verified in this installation.
    #[error("there is no identity gateway here")]
    NotOffered,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl People {
    /// Has a person's name and number confirmed, and keeps them. Saying the same twice asks the gateway once.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub async fn verify_identity(
        &self,
        person: PersonId,
        name: &Private<String>,
        resident_id: &Private<String>,
    ) -> Result<Person, VerifyError> {
        let now = self.clock.now();
        let name = clean_name(name)?;
        let resident_id = ResidentId::parse(resident_id.expose().trim(), beijing_day(now))?;
        let person = self.me(person).await?.ok_or(VerifyError::NotFound)?;
        match &person.identity {
            Some(known) if known.resident_id != resident_id => return Err(VerifyError::VerifiedAsAnother),
            Some(known) if known.name == name => return Ok(person),
            _ => {}
        }
        let gateway = self.identity.as_ref().ok_or(VerifyError::NotOffered)?;
        match gateway.verify(&name, &Private::new(resident_id.expose().to_owned())).await {
            IdentityFact::Match => {}
            IdentityFact::Mismatch | IdentityFact::Unknown => return Err(VerifyError::NotConfirmed),
            IdentityFact::Unavailable(why) | IdentityFact::Misconfigured(why) => return Err(VerifyError::Gateway(why)),
        }
        let identity = VerifiedIdentity { name, resident_id, verified_at: self.clock.now() };
        self.keep(self.store.begin().await?, person, identity).await
    }

    async fn keep(&self, mut tx: Tx, person: Person, identity: VerifiedIdentity) -> Result<Person, VerifyError> {
        match people::set_identity(&mut tx, self.store.keys(), person.id, &identity).await {
            Ok(true) => {}
            Ok(false) => return Err(VerifyError::VerifiedAsAnother),
            Err(error) if error.broke(ONE_PERSON_PER_RESIDENT_ID) => return Err(VerifyError::Taken),
            Err(error) => return Err(error.into()),
        }
        commit(tx).await?;
        Ok(Person { identity: Some(identity), ..person })
    }
}

fn clean_name(name: &Private<String>) -> Result<Private<String>, VerifyError> {
    let name = name.expose().trim();
    let strange = |c: char| c.is_control() || c.is_ascii_digit() || "<>@/\\\"".contains(c);
    let good = (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.contains(strange);
    good.then(|| Private::new(name.to_owned())).ok_or(VerifyError::Name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names() {
        let clean = |name: &str| clean_name(&Private::new(name.to_owned())).map(Private::into_exposed).ok();
        assert_eq!(clean(" 王小明 ").as_deref(), Some("王小明"));
        assert_eq!(clean("阿依古丽·买买提").as_deref(), Some("阿依古丽·买买提"));
        for bad in ["", "  ", "王\n明", "王2", &"王".repeat(51)] {
            assert_eq!(clean(bad), None, "{bad}");
        }
    }
}
