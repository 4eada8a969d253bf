//! A person looks at their drafts.

use crate::casework::Casework;
use crate::casework::cases::drafts::JudgedDraft;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{DraftId, PersonId};
use crate::store::StoreError;
use crate::store::drafts::{self, Draft};

impl Casework {
    /// A person's drafts, the last changed first, after a place in the list.
    pub async fn drafts(
        &self,
        person: PersonId,
        after: Option<(Instant, DraftId)>,
        limit: i64,
    ) -> Result<Vec<Draft>, StoreError> {
        drafts::open_of(&mut *self.store().connection().await?, self.store().keys(), person, after, limit).await
    }

    /// One of a person's drafts, with what is still wrong with it.
    pub async fn draft(&self, person: PersonId, id: DraftId) -> Result<Option<JudgedDraft>, StoreError> {
        let mut connection = self.store().connection().await?;
        match drafts::find(&mut connection, self.store().keys(), person, id).await? {
            Some(draft) => self.judged(&mut connection, draft).await.map(Some),
            None => Ok(None),
        }
    }
}
