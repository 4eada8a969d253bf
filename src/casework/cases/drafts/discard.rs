//! An applicant discards a draft. A case that was made of it stays.

use crate::casework::cases::drafts::Drafts;
use crate::domain::kernel::ids::{DraftId, PersonId};
use crate::domain::people::acting::Acting;
use crate::store::record::{ChangeKind, Record, SaveError};
use crate::store::{StoreError, drafts};

impl Drafts<'_> {
    /// Discards a draft. Returns false if the draft does not exist.
    pub async fn discard(self, acting: &Acting<PersonId>, id: DraftId) -> Result<bool, StoreError> {
        let mut tx = self.0.store().begin().await?;
        if !drafts::remove(&mut tx, acting.for_, id).await? {
            return Ok(false);
        }
        let mut record = Record::default();
        record.change(acting.for_, ChangeKind::Draft, id);
        self.0.save_and_commit(tx, &record, self.0.now()).await.map_err(SaveError::into_store)?;
        Ok(true)
    }
}
