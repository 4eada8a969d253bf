//! The files of a case, for officers.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::desk::at_work;
use super::tag::StaffTag;
use crate::api::edge::{Code, EXAMPLE, Officer, Problem, ProblemOf, WantedRange, example};
use crate::api::shared::file_content::FileAnswer;
use crate::api::shared::upload_state::{UploadRefusalBody, UploadStateWord};
use crate::casework::Casework;
use crate::casework::cases::uploads::UploadError;
use crate::domain::application::upload::{FileKind, Upload};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{CaseId, UploadId};

pub struct CaseUploads(pub(super) Casework);

#[OpenApi(prefix_path = "/staff/v1", tag = "StaffTag::Cases")]
impl CaseUploads {
    /// 材料文件 · List the files of a case
    ///
    /// All files that were handed in with the case or after its supplement notice, the oldest first. A file can be read
    /// once its check has passed. If the check refused a file that the case needs, ask for another one by a supplement
    /// notice.
    #[oai(path = "/cases/:id/uploads", method = "get", operation_id = "list_case_uploads")]
    async fn list(&self, officer: Officer, id: Path<CaseId>) -> Result<Json<CaseFiles>, Problem> {
        let found = self.0.officers().uploads(&at_work(&officer)?, id.0).await?.ok_or(Code::NotFound)?;
        Ok(Json(CaseFiles { data: found.iter().map(CaseFileEntry::from).collect() }))
    }

    /// 下载材料 · Download a file of a case
    ///
    /// A file that was handed in with the case, or after its supplement notice. A picture is a copy that was encoded
    /// again; a PDF is the file itself. The file can be the scan of an identity card, so the history of the case records
    /// which officer read it.
    #[oai(path = "/cases/:id/uploads/:upload", method = "get", operation_id = "get_case_upload")]
    async fn get(
        &self,
        officer: Officer,
        id: Path<CaseId>,
        upload: Path<UploadId>,
        range: WantedRange,
    ) -> Result<FileAnswer, ProblemOf<UploadError>> {
        let content = self.0.officers().read_upload(&at_work(&officer)?, id.0, upload.0).await?;
        Ok(FileAnswer::of(content, &range).await?)
    }
}

/// 材料文件。 The files of a case.
#[derive(Object)]
struct CaseFiles {
    /// The files, the oldest first.
    data: Vec<CaseFileEntry>,
}

/// 材料文件。 A file of a case.
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
struct CaseFileEntry {
    id: UploadId,
    /// The media type of the file as it was uploaded.
    content_type: FileKind,
    /// The length in bytes of the file as it was uploaded.
    size: u64,
    created_at: Instant,
    state: UploadStateWord,
    /// Why the file did not pass its check, in words for the applicant; absent if it did, or is being checked.
    refusal: Option<UploadRefusalBody>,
}

impl From<&Upload> for CaseFileEntry {
    fn from(upload: &Upload) -> Self {
        Self {
            id: upload.id,
            content_type: upload.kind,
            size: upload.size,
            created_at: upload.created_at,
            state: (&upload.check).into(),
            refusal: UploadRefusalBody::of(&upload.check),
        }
    }
}

example!(CaseFileEntry {
    id: UploadId::from_uuid(EXAMPLE),
    content_type: FileKind::Jpeg,
    size: 183_042,
    created_at: Instant::default(),
    state: UploadStateWord::Passed,
    refusal: None,
});
