//! An applicant uploads a file, reads it back, or throws it away; an officer reads the files of a case.
//!
//! A content and its row are at two places, and one of them comes first. So the content's removal is promised before it is
//! written, and the promise is taken back in the transaction of the row: whatever dies in between, there is no content that
//! stays unknown, and no row without its content.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use futures_util::stream::BoxStream;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::casework::Casework;
use crate::casework::frame::idempotency::{self, Answer, Entered, Given, Once, OnceError};
use crate::domain::application::KEPT;
use crate::domain::application::upload::{FileKind, Upload};
use crate::domain::kernel::clock::{beijing_day, fresh};
use crate::domain::kernel::ids::{PersonId, UploadId};
use crate::domain::kernel::private::Private;
use crate::domain::work::job::{Job, Work};
use crate::files::FilesError;
use crate::store::record::{Record, SaveError};
use crate::store::uploads::{self, StoredUpload};
use crate::store::{StoreError, Tx, jobs, people};

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
    /// The person has as many files that are not handed in as a person may have.
    #[error("{most} files are not handed in already")]
    TooMany {
        /// How many a person may have.
        most: i64,
    },
    /// It belongs to a case, and stays with it.
    #[error("it belongs to a case")]
    HandedIn,
    /// It took so long that its content is being removed.
    #[error("its content is being removed already")]
    TooLate,
    /// The same request is under way, or its key was used for another.
    #[error(transparent)]
    Once(#[from] OnceError),
    /// The object store.
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How long after its promise a content without a row is removed: longer than any upload takes to be written.
const ROWLESS_FOR: Duration = Duration::from_secs(3600);

/// An upload's content, piece by piece.
pub type Content = BoxStream<'static, Result<Bytes, FilesError>>;

impl Casework {
    /// Takes a file, and answers; the same request again gets the same answer.
    ///
    /// # Errors
    /// When it is too large, empty, of no kind that may be handed in, or one too many; or when it cannot be kept.
    pub async fn upload(
        &self,
        person: PersonId,
        name: &Private<String>,
        content: impl AsyncRead + Send + Unpin,
        once: impl FnOnce(&Upload) -> Option<Once> + Send,
        answer: impl FnOnce(&Upload) -> Answer + Send,
    ) -> Result<Given, UploadError> {
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
            keep_until: Some(now + KEPT),
        };
        let stored = StoredUpload { object_path: format!("{}/{id}", beijing_day(now)), upload };
        self.promise_removal(&stored.object_path).await?;
        files.write(&stored.object_path, content.into()).await?;
        let kept = self.keep_upload(&stored, name, once(&stored.upload), answer).await;
        // Where the record failed, nobody knows whether it has the row all the same: the promise knows.
        let refused = matches!(kept, Err(UploadError::TooMany { .. } | UploadError::Once(_)));
        if refused || kept.as_ref().is_ok_and(|given| given.replayed) {
            self.forget_content(&stored.object_path).await;
        }
        kept
    }

    /// Promises that a content is removed unless it gets a row.
    async fn promise_removal(&self, path: &str) -> Result<(), StoreError> {
        let removal = Job::after(Work::RemoveContent { path: path.to_owned() }, ROWLESS_FOR);
        let mut connection = self.store().connection().await?;
        jobs::enqueue(&mut connection, &[removal], None).await?;
        Ok(())
    }

    async fn keep_upload(
        &self,
        stored: &StoredUpload,
        name: &Private<String>,
        once: Option<Once>,
        answer: impl FnOnce(&Upload) -> Answer + Send,
    ) -> Result<Given, UploadError> {
        let (person, now) = (stored.upload.person, self.now());
        let mut tx = self.store().begin().await?;
        if let Entered::Replay(answer) = idempotency::enter(&mut tx, self.store().keys(), once.as_ref(), now).await? {
            return Ok(idempotency::again(tx, answer).await?);
        }
        people::hold(&mut tx, person).await?;
        let most = self.files().most_unused();
        if uploads::count_unused(&mut tx, person).await? >= most {
            return Err(UploadError::TooMany { most });
        }
        uploads::insert(&mut tx, self.store().keys(), stored, name).await?;
        let removal = Work::RemoveContent { path: stored.object_path.clone() };
        if !jobs::cancel_untried(&mut tx, &removal.key()).await? {
            return Err(UploadError::TooLate);
        }
        let answer = answer(&stored.upload);
        idempotency::leave(&mut tx, self.store().keys(), once.as_ref(), &answer, now).await?;
        tx.commit().await.map_err(StoreError::from)?;
        Ok(Given::first(answer))
    }

    /// Removes a content that no row names at once. What cannot be removed now is removed as was promised.
    async fn forget_content(&self, path: &str) {
        if let Err(error) = self.files().remove(path).await {
            tracing::warn!(%error, path, "a content that nobody needs stays for a while");
        }
    }

    /// Throws away a file that was not handed in. The content goes by a job, whatever dies in between.
    ///
    /// # Errors
    /// When it is not there, not the person's, or belongs to a case.
    pub async fn discard_upload(&self, person: PersonId, id: UploadId) -> Result<(), UploadError> {
        let now = self.now();
        let mut tx = self.store().begin().await?;
        let found = uploads::find_for_change(&mut tx, id).await?;
        let stored = found.filter(|stored| stored.upload.person == person).ok_or(UploadError::NotFound)?;
        if stored.upload.keep_until.is_none() {
            return Err(UploadError::HandedIn);
        }
        let mut record = Record::default();
        self.remove_uploads(&mut tx, &mut record, &[stored]).await?;
        let offers = self.save(&mut tx, &record, now).await.map_err(SaveError::into_store)?;
        Ok(self.commit(tx, &record, offers).await?)
    }

    /// Removes files that are locked, and promises that their contents follow.
    pub(in crate::casework) async fn remove_uploads(
        &self,
        tx: &mut Tx<'_>,
        record: &mut Record,
        files: &[StoredUpload],
    ) -> Result<(), StoreError> {
        let ids: Vec<UploadId> = files.iter().map(|stored| stored.upload.id).collect();
        uploads::remove(tx, &ids).await?;
        for stored in files {
            record.enqueue(&Job::now(Work::RemoveContent { path: stored.object_path.clone() }), None)?;
        }
        Ok(())
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
    pub(in crate::casework) async fn stored_upload(&self, id: UploadId) -> Result<Option<StoredUpload>, StoreError> {
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
