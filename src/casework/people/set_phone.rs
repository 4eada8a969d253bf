//! A person proves that a phone number is theirs.

use super::check_code::Checked;
use super::sign_in_sms::CodeError;
use super::{People, commit};
use crate::domain::identity::MobilePhone;
use crate::domain::ids::PersonId;
use crate::domain::private::Private;
use crate::store::{StoreError, people};

/// Why the number was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SetPhoneError {
    /// The code.
    #[error(transparent)]
    Code(#[from] CodeError),
    /// The number belongs to another person here.
    #[error("the number belongs to another person")]
    Taken,
}

impl From<StoreError> for SetPhoneError {
    fn from(error: StoreError) -> Self {
        Self::Code(CodeError::Store(error))
    }
}

impl People {
    /// Gives a person the number whose code they know.
    ///
    /// # Errors
    /// [`SetPhoneError`].
    pub async fn set_phone(
        &self,
        person: PersonId,
        phone: &MobilePhone,
        code: &Private<String>,
    ) -> Result<(), SetPhoneError> {
        let keys = self.store.keys();
        let mut tx = self.store.begin().await?;
        let outcome = match self.check_code(&mut tx, phone, code).await? {
            Checked::Wrong => Err(CodeError::Wrong.into()),
            Checked::Exhausted => Err(CodeError::Exhausted.into()),
            Checked::Right => match people::find_by_phone(&mut tx, keys, phone).await? {
                Some(other) if other.id != person => Err(SetPhoneError::Taken),
                _ => Ok(people::set_phone(&mut tx, keys, person, phone).await?),
            },
        };
        commit(tx).await?;
        outcome
    }
}
