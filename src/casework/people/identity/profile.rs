//! A person reads their profile, and chooses their language.

use super::Identity;
use crate::domain::kernel::ids::PersonId;
use crate::domain::kernel::text::Language;
use crate::domain::people::person::Person;
use crate::store::{StoreError, people};

impl Identity<'_> {
    pub async fn find(self, id: PersonId) -> Result<Option<Person>, StoreError> {
        people::find(&mut *self.0.store.connection().await?, self.0.store.keys(), id).await
    }

    /// Sets the language of a person's messages.
    pub async fn set_language(self, id: PersonId, language: Language) -> Result<(), StoreError> {
        people::set_language(&mut *self.0.store.connection().await?, id, language).await
    }
}
