//! An officer reads a file that was handed in. Scans show whole identity cards, so reading one is a disclosure: the history of
//! the case keeps who did and when, before anything is sent. It needs no reason, because the files are what is decided on.

use serde_json::json;

use super::Desk;
use crate::casework::Casework;
use crate::casework::cases::uploads::Content;
use crate::domain::kernel::ids::{CaseId, UploadId};
use crate::files::FilesError;
use crate::store::StoreError;
use crate::store::record::{Record, SaveError};
use crate::store::uploads::StoredUpload;

/// Why a file cannot be read now.
#[derive(Debug, thiserror::Error)]
pub enum ReadUploadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The place of the files.
    #[error(transparent)]
    Files(#[from] FilesError),
}

impl Casework {
    /// A file of a case of the agency; `None` if that has no such case, or the case no such file.
    ///
    /// # Errors
    /// When the record cannot be read or written, or the file cannot be read.
    pub async fn read_case_upload(
        &self,
        desk: &Desk,
        case: CaseId,
        upload: UploadId,
    ) -> Result<Option<(StoredUpload, Content)>, ReadUploadError> {
        let mut connection = self.store().connection().await?;
        let Some(file) = self.case_file_unmasked(&mut connection, desk, case).await? else { return Ok(None) };
        drop(connection);
        let mut handed_in = file.application.uploads();
        handed_in.extend(file.supplement.iter().flat_map(|answer| answer.uploads()));
        if !handed_in.contains(&upload) {
            return Ok(None);
        }
        let Some(stored) = self.stored_upload(upload).await? else { return Ok(None) };
        let content = self.upload_content(&stored).await?;
        let now = self.now();
        let mut record = Record::default();
        record.remember(case, &desk.actor(), "upload_read", json!({ "upload": upload }), now);
        let mut tx = self.store().begin().await?;
        let offers = self.save(&mut tx, &record, now).await.map_err(SaveError::into_store)?;
        self.commit(tx, &record, offers).await?;
        Ok(Some((stored, content)))
    }
}
