//! A resident signs in with a code that came by SMS. Their first sign-in makes them a person here.

use super::check_code::Checked;
use super::signed_in::SignedIn;
use super::{People, commit};
use crate::domain::clock::fresh;
use crate::domain::identity::MobilePhone;
use crate::domain::ids::PersonId;
use crate::domain::person::Person;
use crate::domain::private::Private;
use crate::domain::text::Language;
use crate::store::{StoreError, people};

/// Why a code proved nothing.
#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    /// It is not the latest code of that number, or that code was used or has expired.
    #[error("the code is wrong or has expired")]
    Wrong,
    /// The latest code was guessed at too often: ask for a new one.
    #[error("the code was guessed at too often")]
    Exhausted,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl People {
    /// Signs in the person of a phone number.
    ///
    /// # Errors
    /// [`CodeError`].
    pub async fn sign_in_sms(
        &self,
        phone: MobilePhone,
        code: &Private<String>,
        language: Language,
    ) -> Result<SignedIn<Person>, CodeError> {
        let keys = self.store.keys();
        let mut tx = self.store.begin().await?;
        let refused = match self.check_code(&mut tx, &phone, code).await? {
            Checked::Right => None,
            Checked::Wrong => Some(CodeError::Wrong),
            Checked::Exhausted => Some(CodeError::Exhausted),
        };
        if let Some(refused) = refused {
            commit(tx).await?;
            return Err(refused);
        }
        let person = match people::find_by_phone(&mut tx, keys, &phone).await? {
            Some(person) => person,
            None => {
                let person = Person::new(fresh(PersonId::from_uuid), Some(phone), language, self.clock.now());
                people::insert(&mut tx, keys, &person).await?;
                person
            }
        };
        Ok(self.open_session(tx, person).await?)
    }
}
