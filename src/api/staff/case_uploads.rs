//! The files of a case, as the officer who handles it reads them.

use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use super::desk::desk;
use super::tag::Tag;
use crate::api::edge::bearer::Officer;
use crate::api::edge::code::Code;
use crate::api::edge::problem::Problem;
use crate::api::file_content::FileAnswer;
use crate::casework::Casework;
use crate::domain::ids::{CaseId, UploadId};

/// The operations.
pub struct CaseUploads(pub(super) Casework);

#[OpenApi(prefix_path = "/staff/v1", tag = "Tag::Cases")]
impl CaseUploads {
    /// Sends a file that was handed in with a case, or after its supplement notice.
    #[oai(path = "/cases/:id/uploads/:upload", method = "get", operation_id = "get_case_upload")]
    async fn get(&self, officer: Officer, id: Path<CaseId>, upload: Path<UploadId>) -> Result<FileAnswer, Problem> {
        let file = self.0.case_file(&desk(&officer)?, id.0).await?.ok_or(Code::NotFound)?;
        let mut handed_in = file.application.uploads();
        handed_in.extend(file.supplement.iter().flat_map(|answer| answer.uploads()));
        if !handed_in.contains(&upload.0) {
            return Err(Code::NotFound.into());
        }
        let stored = self.0.stored_upload(upload.0).await?.ok_or(Code::NotFound)?;
        let content = self.0.upload_content(&stored).await;
        let content = content.map_err(|error| Problem::new(Code::Unavailable).cause(error))?;
        Ok(FileAnswer::of(stored.upload.kind, content))
    }
}
