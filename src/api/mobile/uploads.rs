//! Uploads: the files that an applicant hands in.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::types::multipart;
use poem_openapi::{Multipart, Object, OpenApi};
use serde_json::json;

use super::tag::MobileTag;
use crate::api::edge::{Added, Answered, Code, Done, EXAMPLE, FieldError, OptionalKey, Person, Problem, example};
use crate::api::shared::file_content::FileAnswer;
use crate::casework::Casework;
use crate::casework::cases::uploads::UploadError;
use crate::domain::application::KEPT;
use crate::domain::application::upload::{FileKind, Upload};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::UploadId;
use crate::domain::kernel::private::Private;
use crate::files::FilesError;

pub struct Uploads(pub Casework);

#[OpenApi(prefix_path = "/v1", tag = "MobileTag::Uploads")]
impl Uploads {
    /// 上传文件 · Upload a file
    ///
    /// A picture (JPEG, PNG, WebP) or a PDF.
    #[oai(path = "/uploads", method = "post", operation_id = "upload")]
    async fn upload(
        &self,
        person: Person,
        idempotency_key: OptionalKey,
        form: UploadForm,
    ) -> Result<Answered<Added<UploadBody>>, Problem> {
        let name: String = form.file.file_name().unwrap_or_default().chars().take(LONGEST_NAME).collect();
        let intent = |upload: &Upload| json!([name, hex::encode(upload.sha256)]);
        let once = |upload: &Upload| idempotency_key.once(person.id, "upload", &intent(upload));
        let added =
            |upload: &Upload| Added { body: UploadBody::from(upload), location: format!("/v1/uploads/{}", upload.id) };
        let private = Private::new(name.clone());
        let content = form.file.into_async_read();
        Ok(self.0.uploads().add(&person.acting(), &private, content, once, |upload| added(upload).into()).await?.into())
    }

    /// 查看上传 · Show an upload
    #[oai(path = "/uploads/:id", method = "get", operation_id = "get_upload")]
    async fn get(&self, person: Person, id: Path<UploadId>) -> Result<Json<UploadBody>, Problem> {
        Ok(Json((&self.0.uploads().find(person.id, id.0).await?.upload).into()))
    }

    /// 下载文件 · Download the content of an upload
    #[oai(path = "/uploads/:id/content", method = "get", operation_id = "get_upload_content")]
    async fn content(&self, person: Person, id: Path<UploadId>) -> Result<FileAnswer, Problem> {
        let stored = self.0.uploads().find(person.id, id.0).await?;
        Ok(FileAnswer::of(stored.upload.kind, self.0.uploads().content(&stored).await?))
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

/// The maximum length of a stored file name, in characters. A longer name is cut.
const LONGEST_NAME: usize = 200;

#[derive(Multipart)]
struct UploadForm {
    /// The file: JPEG, PNG, WebP or PDF.
    file: multipart::Upload,
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
    /// SHA-256 of the content, in hexadecimal digits.
    sha256: String,
    created_at: Instant,
    /// When the file is deleted, unless it is handed in with a case, or is in a draft that is kept longer. Absent if
    /// the file belongs to a case.
    kept_until: Option<Instant>,
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
        }
    }
}

impl From<FilesError> for Problem {
    fn from(error: FilesError) -> Self {
        Self::unavailable(error)
    }
}

impl From<UploadError> for Problem {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::TooLarge { limit } => Self::new(Code::BodyTooLarge).detail(
                format!("文件不能超过 {} KiB", limit / 1024),
                format!("A file may have at most {} KiB", limit / 1024),
            ),
            UploadError::Empty => {
                Self::invalid([FieldError::new("/file", "too_short", "文件是空的", "The file is empty")])
            }
            UploadError::UnknownKind => Self::new(Code::UnsupportedMediaType)
                .detail("只接受 JPEG、PNG、WebP 图片和 PDF", "Only JPEG, PNG and WebP pictures and PDF are accepted"),
            UploadError::Broken(_) => Self::new(Code::MalformedRequest),
            UploadError::NotFound => Self::new(Code::NotFound),
            UploadError::TooMany { most } => Self::new(Code::TooManyUploads).detail(
                format!("最多可有 {most} 个未提交的文件"),
                format!("At most {most} files may be uploaded and not submitted"),
            ),
            UploadError::HandedIn => Self::new(Code::UploadHandedIn),
            UploadError::TooLate => Self::unavailable(error),
            UploadError::Idempotency(error) => error.into(),
            UploadError::Files(error) => error.into(),
            UploadError::Store(error) => error.into(),
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
});
