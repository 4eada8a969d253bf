//! A resident signs in with a code from an SMS. The first sign-in creates the person, unless the person exists already:
//! a back-office system may have reported the phone number, without a resident ID.

use super::Sessions;
use super::open::SignedIn;
use crate::casework::people::commit;
use crate::casework::people::login_codes::{CodeError, PresentedCode};
use crate::domain::kernel::clock::fresh;
use crate::domain::kernel::ids::PersonId;
use crate::domain::kernel::text::Language;
use crate::domain::people::identity::MobilePhone;
use crate::domain::people::person::Person;
use crate::store::{StoreError, Tx, login_codes, people};

impl Sessions<'_> {
    pub async fn by_sms(
        self,
        presented: &PresentedCode<'_>,
        language: Language,
    ) -> Result<SignedIn<Person>, CodeError> {
        match self.try_by_sms(presented, language).await {
            Err(CodeError::Store(error)) if people::raced(&error) => self.try_by_sms(presented, language).await,
            other => other,
        }
    }

    async fn try_by_sms(
        &self,
        presented: &PresentedCode<'_>,
        language: Language,
    ) -> Result<SignedIn<Person>, CodeError> {
        let mut tx = self.0.store.begin().await?;
        let code = match self.0.login_codes().check(&mut tx, presented).await? {
            Ok(code) => code,
            Err(refused) => {
                commit(tx).await?;
                return Err(refused);
            }
        };
        login_codes::use_up(&mut tx, code, self.0.clock.now()).await?;
        let person = self.person_of_phone(&mut tx, presented.phone, language).await?;
        Ok(self.open(tx, person).await?)
    }

    async fn person_of_phone(
        &self,
        tx: &mut Tx<'_>,
        phone: &MobilePhone,
        language: Language,
    ) -> Result<Person, StoreError> {
        let keys = self.0.store.keys();
        let now = self.0.clock.now();
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
