//! An applicant uploads a file, and reads it back; an officer reads the files of a case.

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use futures_util::stream::BoxStream;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::Casework;
use super::files::FilesError;
use crate::domain::clock::{beijing_day, fresh};
use crate::domain::ids::{PersonId, UploadId};
use crate::domain::private::Private;
use crate::domain::upload::{FileKind, Upload};
use crate::store::StoreError;
use crate::store::uploads::{self, StoredUpload};

/// Why an upload is not taken, or not found.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// It is longer than is allowed.
    #[error("longer than {limit} bytes")]
    TooLarge {
        /// How many bytes are allowed.
        limit: u64,
    },
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// Its content is neither a picture nor a PDF.
    #[error("neither a picture nor a PDF")]
    UnknownKind,
    /// It did not arrive whole.
    #[error("it did not arrive whole")]
    Broken(#[source] std::io::Error),
    /// There is no such upload, or it is not the caller's.
    #[error("there is no such upload here")]
    NotFound,
    /// The object store.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The record.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An upload's content, piece by piece.
pub type Content = BoxStream<'static, Result<Bytes, FilesError>>;

impl Casework {
    /// Takes a file. The content is written before the row: what a crash leaves behind is a content that nobody knows
    /// of, never a row without its content.
    ///
    /// # Errors
    /// When it is too large, empty, of no kind that may be handed in; or when it cannot be kept.
    pub async fn upload(
        &self,
        person: PersonId,
        name: &Private<String>,
        content: impl AsyncRead + Send + Unpin,
    ) -> Result<Upload, UploadError> {
        let files = self.files();
        let _room = files.room().await;
        let content = read_at_most(content, files.limit()).await?;
        let kind = FileKind::of(&content).ok_or(UploadError::UnknownKind)?;
        let (now, id) = (self.now(), fresh(UploadId::from_uuid));
        let upload = Upload {
            id,
            person,
            kind,
            size: content.len() as u64,
            sha256: digest(&SHA256, &content).as_ref().try_into().unwrap_or_default(),
            created_at: now,
        };
        let stored = StoredUpload { object_path: format!("{}/{id}", beijing_day(now)), upload };
        files.write(&stored.object_path, content.into()).await?;
        uploads::insert(&mut *self.store().connection().await?, self.store().keys(), &stored, name).await?;
        Ok(stored.upload)
    }

    /// One of a person's uploads.
    ///
    /// # Errors
    /// When it is not there, or not theirs.
    pub async fn upload_of(&self, person: PersonId, id: UploadId) -> Result<StoredUpload, UploadError> {
        let found = self.stored_upload(id).await?;
        found.filter(|stored| stored.upload.person == person).ok_or(UploadError::NotFound)
    }

    /// An upload, whoever made it: for a caller that knows by other means that it may be read.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub(super) async fn stored_upload(&self, id: UploadId) -> Result<Option<StoredUpload>, StoreError> {
        uploads::find(&mut *self.store().connection().await?, id).await
    }

    /// The content of an upload.
    ///
    /// # Errors
    /// When the object store is unavailable.
    pub async fn upload_content(&self, stored: &StoredUpload) -> Result<Content, FilesError> {
        self.files().open(&stored.object_path).await
    }
}

/// Reads to the end, and stops where the limit is passed.
async fn read_at_most(content: impl AsyncRead + Send + Unpin, limit: u64) -> Result<Vec<u8>, UploadError> {
    let mut bytes = Vec::new();
    content.take(limit.saturating_add(1)).read_to_end(&mut bytes).await.map_err(UploadError::Broken)?;
    match bytes.len() as u64 {
        0 => Err(UploadError::Empty),
        length if length > limit => Err(UploadError::TooLarge { limit }),
        _ => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_limit_is_the_last_size_that_is_taken() {
        assert_eq!(read_at_most(&b"12345"[..], 5).await.unwrap(), b"12345");
        assert!(matches!(read_at_most(&b"123456"[..], 5).await, Err(UploadError::TooLarge { limit: 5 })));
        assert!(matches!(read_at_most(&b""[..], 5).await, Err(UploadError::Empty)));
        assert!(matches!(read_at_most(tokio::io::repeat(0), 5).await, Err(UploadError::TooLarge { .. })), "no end");
    }
}
