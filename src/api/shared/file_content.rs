//! Responses with the content of an uploaded file.

use futures_util::StreamExt;
use poem::Body;
use poem_openapi::payload::Binary;
use poem_openapi::{ApiResponse, ResponseContent};

use crate::casework::cases::uploads::Content;
use crate::domain::application::upload::FileKind;

/// A `Content-Security-Policy` for files that we did not make: nothing in them may run, or reach our pages.
pub const SANDBOX: &str = "sandbox";

#[derive(ResponseContent)]
pub enum FileContent {
    #[oai(content_type = "image/jpeg")]
    Jpeg(Binary<Body>),
    #[oai(content_type = "image/png")]
    Png(Binary<Body>),
    #[oai(content_type = "image/webp")]
    Webp(Binary<Body>),
    #[oai(content_type = "application/pdf")]
    Pdf(Binary<Body>),
}

#[derive(ApiResponse)]
pub enum FileAnswer {
    /// 文件 · The file. It is personal data, and never changes.
    #[oai(status = 200)]
    Ok(FileContent, #[oai(header = "Content-Security-Policy")] String),
}

impl FileAnswer {
    /// Streams a file. The policy forbids browsers to run it, because an uploaded file can contain malicious code.
    pub fn of(kind: FileKind, content: Content) -> Self {
        let body = Binary(Body::from_bytes_stream(content.map(|piece| piece.map_err(std::io::Error::other))));
        let content = match kind {
            FileKind::Jpeg => FileContent::Jpeg(body),
            FileKind::Png => FileContent::Png(body),
            FileKind::Webp => FileContent::Webp(body),
            FileKind::Pdf => FileContent::Pdf(body),
        };
        Self::Ok(content, SANDBOX.to_owned())
    }
}
