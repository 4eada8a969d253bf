//! 查看完整信息: an officer sees the numbers that are masked elsewhere. The history of the case keeps who did, when and
//! why, before anything is shown.

use serde_json::json;

use super::Desk;
use super::read::CaseFile;
use crate::casework::Casework;
use crate::domain::ids::CaseId;
use crate::store::StoreError;
use crate::store::record::{Record, SaveError};

impl Casework {
    /// A case of the agency with nothing masked; `None` if it has none of that id.
    ///
    /// # Errors
    /// When the record cannot be read or written.
    pub async fn disclose(&self, desk: &Desk, id: CaseId, reason: &str) -> Result<Option<CaseFile>, StoreError> {
        let mut connection = self.store().connection().await?;
        let Some(file) = self.case_file_unmasked(&mut connection, desk, id).await? else { return Ok(None) };
        drop(connection);
        let now = self.now();
        let mut record = Record::default();
        record.remember(id, &desk.actor(), "disclosed", json!({"reason": reason}), now);
        let mut tx = self.store().begin().await?;
        let offers = self.save(&mut tx, &record, now).await.map_err(SaveError::into_store)?;
        self.commit(tx, &record, offers).await?;
        Ok(Some(file))
    }
}
