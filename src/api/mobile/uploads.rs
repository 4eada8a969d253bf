//! Uploads: the files that an applicant hands in.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Multipart, Object, OpenApi};
use serde_json::json;

use super::spooled_file::SpooledFile;
use super::tag::MobileTag;
use crate::api::edge::{
    Added, Answered, Done, EXAMPLE, OptionalKey, Person, Problem, ProblemOf, WantedRange, current_request, example,
};
use crate::api::shared::file_content::FileAnswer;
use crate::api::shared::upload_state::{UploadRefusalBody, UploadStateWord};
use crate::casework::Casework;
use crate::casework::cases::uploads::UploadError;
use crate::domain::application::KEPT;
use crate::domain::application::upload::{FileKind, Upload};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::UploadId;

pub struct Uploads(pub Casework);

#[OpenApi(prefix_path = "/v1", tag = "MobileTag::Uploads")]
impl Uploads {
    /// 上传文件 · Upload a file
    ///
    /// A picture (JPEG, PNG, WebP; at most 50 million pixels) or a PDF without password, scripts, actions and attached
    /// files. `invalid_body` says what is wrong with the file, and what the person can do.
    ///
    /// The file is then checked (`state`). A file that is being checked can be handed in already.
    #[oai(path = "/uploads", method = "post", operation_id = "upload")]
    async fn upload(
        &self,
        person: Person,
        idempotency_key: OptionalKey,
        form: UploadForm,
    ) -> Result<Answered<Added<UploadBody>>, Problem> {
        let SpooledFile { name, content } = form.file;
        let intent = |upload: &Upload| json!([name.expose(), hex::encode(upload.sha256)]);
        let once = |upload: &Upload| idempotency_key.once(person.id, "upload", &intent(upload));
        let added =
            |upload: &Upload| Added { body: UploadBody::from(upload), location: format!("/v1/uploads/{}", upload.id) };
        let request = current_request();
        let trace = Some(request.traceparent.as_str());
        let answer = |upload: &Upload| added(upload).into();
        Ok(self.0.uploads().add(&person.acting(), &name, content, trace, once, answer).await?.into())
    }

    /// 查看上传 · Show an upload
    #[oai(path = "/uploads/:id", method = "get", operation_id = "get_upload")]
    async fn get(&self, person: Person, id: Path<UploadId>) -> Result<Json<UploadBody>, Problem> {
        Ok(Json((&self.0.uploads().find(person.id, id.0).await?.upload).into()))
    }

    /// 下载文件 · Download the content of an upload
    ///
    /// As officers see it: a picture is a copy that was encoded again, without the place and time of the photo; a PDF is
    /// the file itself. Possible once the file has passed its check.
    #[oai(path = "/uploads/:id/content", method = "get", operation_id = "get_upload_content")]
    async fn content(
        &self,
        person: Person,
        id: Path<UploadId>,
        range: WantedRange,
    ) -> Result<FileAnswer, ProblemOf<UploadError>> {
        Ok(FileAnswer::of(self.0.uploads().show(person.id, id.0).await?, &range).await?)
    }

    /// 删除上传 · Delete an upload
    ///
    /// Possible until the file is handed in with a case.
    #[oai(path = "/uploads/:id", method = "delete", operation_id = "delete_upload")]
    async fn delete(&self, person: Person, id: Path<UploadId>) -> Result<Done, Problem> {
        self.0.uploads().discard(&person.acting(), id.0).await?;
        Ok(Done::NoContent)
    }
}

#[derive(Multipart)]
struct UploadForm {
    /// The file: JPEG, PNG, WebP or PDF.
    file: SpooledFile,
}

/// 上传文件。 An uploaded file.
#[derive(Object)]
#[oai(rename = "Upload", example, skip_serializing_if_is_none)]
struct UploadBody {
    id: UploadId,
    /// The media type, as detected from the content.
    content_type: FileKind,
    /// The length in bytes.
    size: u64,
    /// SHA-256 of the content as it was uploaded, in hexadecimal digits.
    sha256: String,
    created_at: Instant,
    /// When the file is deleted, unless it is handed in with a case, or is in a draft that is kept longer. Absent if
    /// the file belongs to a case.
    kept_until: Option<Instant>,
    state: UploadStateWord,
    /// Why the file did not pass its check, and what to do; absent if it did, or is being checked. A refused file cannot
    /// be handed in.
    refusal: Option<UploadRefusalBody>,
}

impl From<&Upload> for UploadBody {
    fn from(upload: &Upload) -> Self {
        Self {
            id: upload.id,
            content_type: upload.kind,
            size: upload.size,
            sha256: hex::encode(upload.sha256),
            created_at: upload.created_at,
            kept_until: upload.keep_until,
            state: (&upload.check).into(),
            refusal: UploadRefusalBody::of(&upload.check),
        }
    }
}

example!(UploadBody {
    id: UploadId::from_uuid(EXAMPLE),
    content_type: FileKind::Jpeg,
    size: 183_042,
    sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
    created_at: Instant::default(),
    kept_until: Some(Instant::default() + KEPT),
    state: UploadStateWord::Checking,
    refusal: None,
});
