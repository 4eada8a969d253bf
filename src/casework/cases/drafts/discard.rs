//! A person throws a draft away. What was submitted stays.

use crate::casework::Casework;
use crate::domain::kernel::ids::{DraftId, PersonId};
use crate::store::record::{ChangeKind, Record, SaveError};
use crate::store::{StoreError, drafts};

impl Casework {
    /// Throws a draft away; says whether there was one.
    pub async fn discard_draft(&self, person: PersonId, id: DraftId) -> Result<bool, StoreError> {
        let mut tx = self.store().begin().await?;
        if !drafts::remove(&mut tx, person, id).await? {
            return Ok(false);
        }
        let mut record = Record::default();
        record.change(person, ChangeKind::Draft, id);
        let offers = self.save(&mut tx, &record, self.now()).await.map_err(SaveError::into_store)?;
        self.commit(tx, &record, offers).await?;
        Ok(true)
    }
}
