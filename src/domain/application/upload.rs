//! Uploads: the files that applicants submit. The type of a file is determined by its content, never by its name.

use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{PersonId, UploadId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    pub id: UploadId,
    pub person: PersonId,
    pub kind: FileKind,
    /// The size in bytes.
    pub size: u64,
    /// SHA-256 of its content.
    pub sha256: [u8; 32],
    pub created_at: Instant,
    /// When the file is deleted if no application is submitted with it. `None` once the file belongs to a case, because
    /// it is then kept as long as the case.
    pub keep_until: Option<Instant>,
}

/// The file types that applicants may submit. Officers can view all of them on any computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    Jpeg,
    Png,
    Webp,
    Pdf,
}

impl FileKind {
    pub const ALL: [Self; 4] = [Self::Jpeg, Self::Png, Self::Webp, Self::Pdf];

    /// The media type (RFC 6838).
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Pdf => "application/pdf",
        }
    }

    /// Detects the file type from the first bytes of the file. Returns `None` if files of this type may not be
    /// submitted.
    pub fn of(content: &[u8]) -> Option<Self> {
        infer::get(content).and_then(|found| Self::from_media_type(found.mime_type()))
    }

    pub fn from_media_type(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.media_type() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_determines_the_kind() {
        for (content, kind) in [
            (&b"\xff\xd8\xff\xe0\x00\x10JFIF"[..], Some(FileKind::Jpeg)),
            (b"\x89PNG\r\n\x1a\n", Some(FileKind::Png)),
            (b"RIFF\x24\x00\x00\x00WEBPVP8 ", Some(FileKind::Webp)),
            (b"%PDF-1.7\n", Some(FileKind::Pdf)),
            (b"GIF89a", None),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
            (b"MZ\x90\x00", None),
            (b"", None),
        ] {
            assert_eq!(FileKind::of(content), kind, "{content:?}");
        }
    }
}
