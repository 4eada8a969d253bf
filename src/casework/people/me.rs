//! A person looks at themselves, and chooses their language.

use super::People;
use crate::domain::kernel::ids::{OfficerId, PersonId};
use crate::domain::kernel::text::Language;
use crate::domain::people::person::Person;
use crate::domain::people::staff::Officer;
use crate::store::{StoreError, officers, people};

impl People {
    /// The person of an id.
    pub async fn me(&self, id: PersonId) -> Result<Option<Person>, StoreError> {
        people::find(&mut *self.store.connection().await?, self.store.keys(), id).await
    }

    /// The officer of an id, unless the account is closed.
    pub async fn officer(&self, id: OfficerId) -> Result<Option<Officer>, StoreError> {
        officers::find_open(&mut *self.store.connection().await?, id).await
    }

    /// Sets the language in which a person is written to.
    pub async fn set_language(&self, id: PersonId, language: Language) -> Result<(), StoreError> {
        people::set_language(&mut *self.store.connection().await?, id, language).await
    }
}
