//! The files of a case, for officers.

use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use super::desk::at_work;
use super::tag::StaffTag;
use crate::api::edge::{Code, Officer, Problem};
use crate::api::shared::file_content::FileAnswer;
use crate::casework::Casework;
use crate::casework::officers::read_upload::ReadUploadError;
use crate::domain::kernel::ids::{CaseId, UploadId};

pub struct CaseUploads(pub(super) Casework);

#[OpenApi(prefix_path = "/staff/v1", tag = "StaffTag::Cases")]
impl CaseUploads {
    /// 下载材料 · Download a file of a case
    ///
    /// A file that was handed in with the case, or after its supplement notice. The file can be the scan of an identity
    /// card, so the history of the case records which officer read it.
    #[oai(path = "/cases/:id/uploads/:upload", method = "get", operation_id = "get_case_upload")]
    async fn get(&self, officer: Officer, id: Path<CaseId>, upload: Path<UploadId>) -> Result<FileAnswer, Problem> {
        let found = self.0.officers().read_upload(&at_work(&officer)?, id.0, upload.0).await;
        let (stored, content) = found?.ok_or(Code::NotFound)?;
        Ok(FileAnswer::of(stored.upload.kind, content))
    }
}

impl From<ReadUploadError> for Problem {
    fn from(error: ReadUploadError) -> Self {
        match error {
            ReadUploadError::Store(error) => error.into(),
            ReadUploadError::Files(error) => error.into(),
        }
    }
}
