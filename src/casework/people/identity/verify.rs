//! 实名认证: an identity gateway confirms that a person's name and resident ID belong together.

use std::time::Duration;

use uuid::Uuid;

use super::Identity;
use super::join::{IfTaken, Proved, TakenError};
use crate::casework::people::commit;
use crate::domain::kernel::clock::{beijing_day, fresh_uuid};
use crate::domain::kernel::ids::PersonId;
use crate::domain::kernel::limits;
use crate::domain::kernel::private::Private;
use crate::domain::people::identity::{ResidentId, ResidentIdFault};
use crate::domain::people::person::{MISMATCH_MEMORY, MISMATCHES, Person, VerifiedIdentity};
use crate::gateway::identity::IdentityFact;
use crate::store::record::Record;
use crate::store::{StoreError, identity_tries, people};

/// The maximum length of a name in population registers, in characters.
const LONGEST_NAME: usize = 50;

#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("no such person")]
    NotFound,
    /// The name is empty, too long, or contains characters that no name contains.
    #[error("not a name")]
    Name,
    #[error("not a resident ID: {0}")]
    ResidentId(#[from] ResidentIdFault),
    /// The population register has no person with this name and this resident ID.
    #[error("name and number do not belong together")]
    NotConfirmed,
    /// Too many comparisons for this person did not match. The duration is the wait before the next try.
    #[error("too many comparisons for one person; wait {0:?}")]
    TooMany(Duration),
    #[error("verified with another number before")]
    VerifiedAsAnother,
    #[error("another person was verified with this number")]
    Taken,
    #[error("the identity gateway gave no useful answer: {0}")]
    Gateway(String),
    #[error("there is no identity gateway here")]
    NotOffered,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Identity<'_> {
    /// Asks the gateway, and stores the confirmed name and resident ID. If the same name and resident ID are stored
    /// already, the gateway is not asked again.
    pub async fn verify(
        self,
        person: PersonId,
        name: &Private<String>,
        resident_id: &Private<String>,
    ) -> Result<Person, VerifyError> {
        let now = self.0.clock.now();
        let name = clean_name(name)?;
        let resident_id = ResidentId::parse(resident_id.expose().trim(), beijing_day(now))?;
        let person = self.find(person).await?.ok_or(VerifyError::NotFound)?;
        match &person.identity {
            Some(known) if known.resident_id != resident_id => return Err(VerifyError::VerifiedAsAnother),
            Some(known) if known.name == name => return Ok(person),
            _ => {}
        }
        let gateway = self.0.identity.as_ref().ok_or(VerifyError::NotOffered)?;
        let attempt = self.count_comparison(person.id).await?;
        match gateway.verify(&name, &Private::new(resident_id.expose().to_owned())).await {
            IdentityFact::Match => {}
            IdentityFact::Mismatch | IdentityFact::Unknown => return Err(VerifyError::NotConfirmed),
            IdentityFact::Unavailable(why) | IdentityFact::Misconfigured(why) => {
                // The gateway compared nothing, so the comparison does not count.
                identity_tries::remove(&mut *self.0.store.connection().await?, attempt).await?;
                return Err(VerifyError::Gateway(why));
            }
        }
        let identity = VerifiedIdentity { name, resident_id, verified_at: self.0.clock.now() };
        match self.keep(&person, &identity, attempt).await {
            Err(VerifyError::Store(error)) if people::raced(&error) => self.keep(&person, &identity, attempt).await?,
            other => other?,
        }
        Ok(Person { identity: Some(identity), ..person })
    }

    /// Counts a comparison as a mismatch before it is made, so that parallel requests get no more comparisons than
    /// consecutive ones. If the result is not a mismatch, the caller removes the count.
    async fn count_comparison(&self, person: PersonId) -> Result<Uuid, VerifyError> {
        let now = self.0.clock.now();
        let id = fresh_uuid();
        let mut tx = self.0.store.begin().await?;
        people::hold(&mut tx, person).await?;
        let made = identity_tries::made_after(&mut tx, person, now - MISMATCH_MEMORY).await?;
        if let Some(wait) = limits::wait(&MISMATCHES, &made, now) {
            return Err(VerifyError::TooMany(wait));
        }
        identity_tries::insert(&mut tx, id, person, now).await?;
        commit(tx).await?;
        Ok(id)
    }

    /// Stores the identity. The person also gets the cases that back-office systems reported for this resident ID.
    async fn keep(&self, person: &Person, identity: &VerifiedIdentity, attempt: Uuid) -> Result<(), VerifyError> {
        let mut record = Record::default();
        let mut tx = self.0.store.begin().await?;
        let proved = Proved::ResidentId(&identity.resident_id);
        self.claim(&mut tx, &mut record, person.id, proved, IfTaken::Refuse).await?;
        if !people::set_identity(&mut tx, self.0.store.keys(), person.id, identity).await? {
            return Err(VerifyError::VerifiedAsAnother);
        }
        identity_tries::remove(&mut tx, attempt).await?;
        Ok(self.commit_claim(tx, &record).await?)
    }
}

impl From<TakenError> for VerifyError {
    fn from(error: TakenError) -> Self {
        match error {
            TakenError::Taken | TakenError::Differ => Self::Taken,
            TakenError::Store(error) => Self::Store(error),
        }
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
    fn a_name_is_trimmed_and_holds_only_characters_of_names() {
        let clean = |name: &str| clean_name(&Private::new(name.to_owned())).map(Private::into_exposed).ok();
        assert_eq!(clean(" 王小明 ").as_deref(), Some("王小明"));
        assert_eq!(clean("阿依古丽·买买提").as_deref(), Some("阿依古丽·买买提"));
        for bad in ["", "  ", "王\n明", "王2", &"王".repeat(51)] {
            assert_eq!(clean(bad), None, "{bad}");
        }
    }
}
