//! An officer reads a file of a case. A file may show a whole identity card. So before any content is sent, the case's
//! history records the officer and the time. The officer is not asked for a reason, because every decision needs the
//! files.

use serde_json::json;

use crate::casework::cases::uploads::{ShownContent, UploadError};
use crate::casework::officers::{OfficerAtWork, Officers};
use crate::domain::application::upload::Upload;
use crate::domain::case::act::Act;
use crate::domain::kernel::ids::{CaseId, UploadId};
use crate::store::record::{Record, SaveError};
use crate::store::{StoreError, uploads};

impl Officers<'_> {
    /// Lists the files of a case, with the states of their checks. `None` if the officer's agencies have no such case.
    pub async fn uploads(self, officer: &OfficerAtWork, case: CaseId) -> Result<Option<Vec<Upload>>, StoreError> {
        let mut connection = self.0.store().connection().await?;
        let Some(file) = self.unmasked(&mut connection, officer, case).await? else { return Ok(None) };
        let found = uploads::all(&mut connection, &file.uploads()).await?;
        Ok(Some(found.into_iter().map(|stored| stored.upload).collect()))
    }

    /// Opens a file of a case. Fails with [`UploadError::NotFound`] if the officer's agencies have no such case, or the
    /// case has no such file.
    pub async fn read_upload(
        self,
        officer: &OfficerAtWork,
        case: CaseId,
        upload: UploadId,
    ) -> Result<ShownContent, UploadError> {
        let mut connection = self.0.store().connection().await?;
        let file = self.unmasked(&mut connection, officer, case).await?;
        let file = file.filter(|file| file.uploads().contains(&upload)).ok_or(UploadError::NotFound)?;
        drop(connection);
        let stored = self.0.uploads().stored(upload).await?.ok_or(UploadError::NotFound)?;
        let shown = self.0.uploads().shown(stored.upload.check).await?;
        let now = self.0.now();
        let acting = officer.acting(&file.case.case.agency);
        let mut record = Record::default();
        record.remember(case, &acting, Act::UploadRead, json!({ "upload": upload }), now);
        let tx = self.0.store().begin().await?;
        self.0.save_and_commit(tx, &record, now).await.map_err(SaveError::into_store)?;
        Ok(shown)
    }
}
