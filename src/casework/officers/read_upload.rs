//! An officer reads a file of a case. A file may show a whole identity card. So before any content is sent, the case's
//! history records the officer and the time. The officer is not asked for a reason, because every decision needs the
//! files.

use serde_json::json;

use crate::casework::cases::uploads::Content;
use crate::casework::officers::{OfficerAtWork, Officers};
use crate::domain::case::act::Act;
use crate::domain::kernel::ids::{CaseId, UploadId};
use crate::files::FilesError;
use crate::store::StoreError;
use crate::store::record::{Record, SaveError};
use crate::store::uploads::StoredUpload;

#[derive(Debug, thiserror::Error)]
pub enum ReadUploadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Files(#[from] FilesError),
}

impl Officers<'_> {
    /// Opens a file of a case; `None` if the officer's agencies have no such case, or the case has no such file.
    pub async fn read_upload(
        self,
        officer: &OfficerAtWork,
        case: CaseId,
        upload: UploadId,
    ) -> Result<Option<(StoredUpload, Content)>, ReadUploadError> {
        let mut connection = self.0.store().connection().await?;
        let Some(file) = self.unmasked(&mut connection, officer, case).await? else { return Ok(None) };
        drop(connection);
        let mut handed_in = file.application.uploads();
        handed_in.extend(file.supplement.iter().flat_map(|answer| answer.uploads()));
        if !handed_in.contains(&upload) {
            return Ok(None);
        }
        let Some(stored) = self.0.uploads().stored(upload).await? else { return Ok(None) };
        let content = self.0.uploads().content(&stored).await?;
        let now = self.0.now();
        let acting = officer.acting(&file.case.case.agency);
        let mut record = Record::default();
        record.remember(case, &acting, Act::UploadRead, json!({ "upload": upload }), now);
        let tx = self.0.store().begin().await?;
        self.0.save_and_commit(tx, &record, now).await.map_err(SaveError::into_store)?;
        Ok(Some((stored, content)))
    }
}
