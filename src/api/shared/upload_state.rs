//! The state of an uploaded file's check, and the problems of uploads.

use std::time::Duration;

use poem_openapi::{Enum, Object};

use crate::api::edge::{Brings, Code, FieldError, Problem};
use crate::api::shared::bilingual::Bilingual;
use crate::casework::cases::uploads::UploadError;
use crate::domain::application::upload::{FileCheck, FileFault};
use crate::files::FilesError;
use crate::files::inspect::NotTaken;

/// 检查状态。 The state of a file's check: `checking` (检查中, mostly for some seconds), `passed` (the content can be
/// read), or `refused`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "UploadState", rename_all = "snake_case")]
pub enum UploadStateWord {
    Checking,
    Passed,
    Refused,
}

impl From<&FileCheck> for UploadStateWord {
    fn from(check: &FileCheck) -> Self {
        match check {
            FileCheck::Pending => Self::Checking,
            FileCheck::Passed(_) => Self::Passed,
            FileCheck::Refused(_) => Self::Refused,
        }
    }
}

/// 未通过的原因。 Why a file did not pass its check, and what the applicant can do.
#[derive(Debug, Clone, Object)]
#[oai(rename = "UploadRefusal")]
pub struct UploadRefusalBody {
    /// The reason, for programs.
    pub reason: FileFault,
    /// The advice, for people.
    pub text: Bilingual,
}

impl UploadRefusalBody {
    pub fn of(check: &FileCheck) -> Option<Self> {
        let FileCheck::Refused(reason) = check else { return None };
        Some(Self { reason: *reason, text: (&reason.advice()).into() })
    }
}

impl Brings for UploadError {
    const CODES: &'static [Code] = &[Code::UploadBeingChecked, Code::UploadRefused];
}

impl From<FilesError> for Problem {
    fn from(error: FilesError) -> Self {
        Self::unavailable(error)
    }
}

impl From<UploadError> for Problem {
    fn from(error: UploadError) -> Self {
        const SOON: Duration = Duration::from_secs(1);
        match error {
            UploadError::TooLarge { limit } => Self::new(Code::BodyTooLarge).detail(
                format!("文件不能超过 {} KiB", limit / 1024),
                format!("A file may have at most {} KiB", limit / 1024),
            ),
            UploadError::Empty => {
                Self::invalid([FieldError::new("/file", "too_short", "文件是空的", "The file is empty")])
            }
            UploadError::NotTaken(why) => not_taken(why),
            UploadError::Broken(_) => Self::new(Code::MalformedRequest),
            UploadError::NotFound => Self::new(Code::NotFound),
            UploadError::TooMany { most } => Self::new(Code::TooManyUploads).detail(
                format!("最多可有 {most} 个未提交的文件"),
                format!("At most {most} files may be uploaded and not submitted"),
            ),
            UploadError::HandedIn => Self::new(Code::UploadHandedIn),
            UploadError::BeingChecked => Self::new(Code::UploadBeingChecked).retry_after(SOON),
            UploadError::Refused(fault) => {
                let advice = fault.advice();
                Self::new(Code::UploadRefused).detail(advice.zh, advice.en)
            }
            UploadError::TooLate => Self::unavailable(error),
            UploadError::Idempotency(error) => error.into(),
            UploadError::Files(error) => error.into(),
            UploadError::Store(error) => error.into(),
        }
    }
}

fn not_taken(why: NotTaken) -> Problem {
    match why {
        NotTaken::Heic => Problem::new(Code::UnsupportedMediaType).detail(
            "不支持 HEIC 照片。iPhone 请在“设置 › 相机 › 格式”中选择“兼容性最佳”，重新拍摄后上传；已有的照片可截屏后上传",
            "HEIC photos are not accepted. On an iPhone choose Settings › Camera › Formats › Most Compatible and take \
             the photo again; of an older photo, upload a screenshot",
        ),
        NotTaken::OtherKind => Problem::new(Code::UnsupportedMediaType)
            .detail("只接受 JPEG、PNG、WebP 图片和 PDF", "Only JPEG, PNG and WebP pictures and PDF are accepted"),
        NotTaken::Faulty(faults) => Problem::invalid(faults.into_iter().map(|fault| FieldError {
            pointer: "/file".to_owned(),
            code: fault.as_str().into(),
            message: fault.advice(),
        })),
    }
}
