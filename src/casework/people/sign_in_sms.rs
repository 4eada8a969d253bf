//! A resident signs in with a code that came by SMS. Their first sign-in makes them a person here, unless another system
//! spoke of them before.

use super::check_code::CodeError;
use super::signed_in::SignedIn;
use super::{People, commit};
use crate::domain::kernel::clock::fresh;
use crate::domain::kernel::ids::PersonId;
use crate::domain::kernel::private::Private;
use crate::domain::kernel::text::Language;
use crate::domain::people::identity::MobilePhone;
use crate::domain::people::person::Person;
use crate::store::{StoreError, Tx, login_codes, people};

impl People {
    /// Signs in the person of a phone number.
    ///
    /// # Errors
    /// [`CodeError`].
    pub async fn sign_in_sms(
        &self,
        phone: &MobilePhone,
        code: &Private<String>,
        language: Language,
    ) -> Result<SignedIn<Person>, CodeError> {
        match self.try_sign_in_sms(phone, code, language).await {
            Err(CodeError::Store(error)) if people::raced(&error) => self.try_sign_in_sms(phone, code, language).await,
            other => other,
        }
    }

    async fn try_sign_in_sms(
        &self,
        phone: &MobilePhone,
        code: &Private<String>,
        language: Language,
    ) -> Result<SignedIn<Person>, CodeError> {
        let mut tx = self.store.begin().await?;
        let code = match self.check_code(&mut tx, phone, code).await? {
            Ok(code) => code,
            Err(refused) => {
                commit(tx).await?;
                return Err(refused);
            }
        };
        login_codes::use_up(&mut tx, code, self.clock.now()).await?;
        let person = self.person_of_phone(&mut tx, phone, language).await?;
        Ok(self.open_session(tx, person).await?)
    }

    async fn person_of_phone(
        &self,
        tx: &mut Tx<'_>,
        phone: &MobilePhone,
        language: Language,
    ) -> Result<Person, StoreError> {
        let (keys, now) = (self.store.keys(), self.clock.now());
        match people::find_by_phone(tx, keys, phone).await? {
            Some(person) if person.is_awaited() => {
                people::record_first_sign_in(tx, person.id, language, now).await?;
                Ok(Person { language, signed_in_at: Some(now), ..person })
            }
            Some(person) => Ok(person),
            None => {
                let person = Person::new(fresh(PersonId::from_uuid), Some(phone.clone()), language, now);
                people::insert(tx, keys, &person).await?;
                Ok(person)
            }
        }
    }
}
