//! Responses with the content of an uploaded file, or with a range of it.

use std::ops::Range;

use futures_util::StreamExt;
use poem::Body;
use poem_openapi::payload::Binary;
use poem_openapi::{ApiResponse, ResponseContent};

use crate::api::edge::{Problem, WantedRange};
use crate::casework::cases::uploads::ShownContent;
use crate::domain::application::upload::FileKind;
use crate::files::Content;

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
    Whole(
        FileContent,
        #[oai(header = "Accept-Ranges")] String,
        #[oai(header = "Content-Length")] u64,
        #[oai(header = "ETag")] String,
        #[oai(header = "Content-Security-Policy")] String,
    ),
    /// 文件的一部分 · The wanted range of the file
    #[oai(status = 206)]
    Part(
        FileContent,
        #[oai(header = "Content-Range")] String,
        #[oai(header = "Content-Length")] u64,
        #[oai(header = "ETag")] String,
        #[oai(header = "Content-Security-Policy")] String,
    ),
}

impl FileAnswer {
    /// Streams a file, or the range of it that the client wants. The policy forbids browsers to run it, because an
    /// uploaded file can contain malicious code.
    pub async fn of(ShownContent { shown, content }: ShownContent, range: &WantedRange) -> Result<Self, Problem> {
        let length = content.length();
        let etag = format!("\"{}\"", hex::encode(&shown.sha256[..16]));
        let policy = SANDBOX.to_owned();
        match range.of(&etag, length)? {
            None => {
                let body = body(shown.kind, content.read_range(0..length).await?);
                Ok(Self::Whole(body, "bytes".to_owned(), length, etag, policy))
            }
            Some(wanted) => {
                let Range { start, end } = wanted;
                let place = format!("bytes {start}-{}/{length}", end - 1);
                let body = body(shown.kind, content.read_range(wanted).await?);
                Ok(Self::Part(body, place, end - start, etag, policy))
            }
        }
    }
}

fn body(kind: FileKind, content: Content) -> FileContent {
    let body = Binary(Body::from_bytes_stream(content.map(|piece| piece.map_err(std::io::Error::other))));
    match kind {
        FileKind::Jpeg => FileContent::Jpeg(body),
        FileKind::Png => FileContent::Png(body),
        FileKind::Webp => FileContent::Webp(body),
        FileKind::Pdf => FileContent::Pdf(body),
    }
}
