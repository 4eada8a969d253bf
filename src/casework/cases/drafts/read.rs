//! An applicant reads their drafts.

use crate::casework::cases::drafts::{Drafts, ValidatedDraft};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{DraftId, PersonId};
use crate::store::StoreError;
use crate::store::drafts::{self, Draft};

impl Drafts<'_> {
    /// An applicant's drafts, the last changed first, after a place in the list.
    pub async fn list(
        self,
        person: PersonId,
        after: Option<(Instant, DraftId)>,
        limit: i64,
    ) -> Result<Vec<Draft>, StoreError> {
        drafts::open_of(&mut *self.0.store().connection().await?, self.0.store().keys(), person, after, limit).await
    }

    pub async fn find(self, person: PersonId, id: DraftId) -> Result<Option<ValidatedDraft>, StoreError> {
        let mut connection = self.0.store().connection().await?;
        match drafts::find(&mut connection, self.0.store().keys(), person, id).await? {
            Some(draft) => self.validated(&mut connection, draft).await.map(Some),
            None => Ok(None),
        }
    }
}
