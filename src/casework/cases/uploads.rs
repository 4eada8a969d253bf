//! An applicant uploads a file, reads it back, or discards it.
//!
//! The content of a file goes to the object store, and its row to the database. Before this use case writes the
//! content, it saves a job that removes the content after an hour. The transaction that writes the row deletes this
//! job. So after a crash, content without a row is removed by the job, and a row never lacks its content.
//!
//! The structure of a file is checked before it is stored, so that the applicant can choose another file at once. The
//! rest is the job [`Work::CheckUpload`], which is enqueued with the row. Until it has ended, the content is not shown.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};

use crate::casework::Casework;
use crate::casework::frame::idempotency::{self, Answer, Entered, Given, IdempotencyError, IdempotentRequest};
use crate::domain::application::KEPT;
use crate::domain::application::upload::{FileCheck, FileFault, ShownFile, Upload};
use crate::domain::kernel::clock::{beijing_day, fresh};
use crate::domain::kernel::ids::{PersonId, UploadId};
use crate::domain::kernel::private::Private;
use crate::domain::people::acting::Acting;
use crate::domain::work::job::{Job, Work};
use crate::files::FilesError;
use crate::files::inspect::NotTaken;
use crate::files::sealed_store::SealedFile;
use crate::files::spool::Spool;
use crate::store::record::{Record, SaveError};
use crate::store::uploads::{self, StoredUpload};
use crate::store::{StoreError, Tx, jobs, people};

#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    #[error("longer than {limit} bytes")]
    TooLarge {
        /// The size limit in bytes.
        limit: u64,
    },
    #[error("it is empty")]
    Empty,
    #[error("it is not taken")]
    NotTaken(NotTaken),
    #[error("it did not arrive whole")]
    Broken(#[source] std::io::Error),
    /// The upload does not exist, or is not the applicant's.
    #[error("there is no such upload here")]
    NotFound,
    /// The applicant already has `most` files that belong to no case, which is the limit for one person.
    #[error("{most} files are not handed in already")]
    TooMany { most: i64 },
    #[error("it belongs to a case")]
    HandedIn,
    /// The content cannot be shown yet.
    #[error("it is being checked")]
    BeingChecked,
    #[error("its check refused it")]
    Refused(FileFault),
    /// The upload took longer than an hour, and the job that removes its content has begun.
    #[error("its content is being removed already")]
    TooLate,
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The delay of the job that removes the content of a file without a row, counted from just before the content is
/// written. Content and row are usually written much sooner. If not, the upload fails with [`UploadError::TooLate`].
const ROWLESS_FOR: Duration = Duration::from_secs(3600);

/// The content of a file that people are shown.
pub struct ShownContent {
    pub shown: ShownFile,
    /// Reads the content, or ranges of it.
    pub content: SealedFile,
}

#[derive(Clone, Copy)]
pub struct Uploads<'a>(&'a Casework);

impl Casework {
    pub const fn uploads(&self) -> Uploads<'_> {
        Uploads(self)
    }
}

impl Uploads<'_> {
    /// Adds a file. A repeated request (same `Idempotency-Key`) gets the answer to the first one. `trace` is the request's
    /// `traceparent`.
    pub async fn add(
        self,
        acting: &Acting<PersonId>,
        name: &Private<String>,
        content: Spool,
        trace: Option<&str>,
        request: impl FnOnce(&Upload) -> Option<IdempotentRequest> + Send,
        answer: impl FnOnce(&Upload) -> Answer + Send,
    ) -> Result<Given, UploadError> {
        let files = self.0.files();
        let limit = files.limit();
        match content.length() {
            0 => return Err(UploadError::Empty),
            length if length > limit => return Err(UploadError::TooLarge { limit }),
            _ => {}
        }
        let room = files.room().await;
        let content = Arc::new(content.read().await.map_err(UploadError::Broken)?);
        let kind = files.inspect(Arc::clone(&content)).await?.map_err(UploadError::NotTaken)?;
        let now = self.0.now();
        let id = fresh(UploadId::from_uuid);
        let upload = Upload {
            id,
            person: acting.for_,
            kind,
            size: content.len() as u64,
            sha256: digest(&SHA256, &content).as_ref().try_into().unwrap_or_default(),
            created_at: now,
            keep_until: Some(now + KEPT),
            check: FileCheck::Pending,
        };
        let stored = StoredUpload { object_path: format!("{}/{id}", beijing_day(now)), upload };
        self.enqueue_removal(&stored.object_path).await?;
        files.write(&stored.object_path, &content).await?;
        drop(content);
        drop(room);
        let kept = self.keep(&stored, name, trace, request(&stored.upload), answer).await;
        // The content is removed now only if it certainly has no row. If the result of the transaction is unknown, the
        // row may exist, so the content stays. If it turns out to have no row, the job removes it later.
        let refused = matches!(kept, Err(UploadError::TooMany { .. } | UploadError::Idempotency(_)));
        if refused || kept.as_ref().is_ok_and(|given| given.replayed) {
            self.remove_content(&stored.object_path).await;
        }
        kept
    }

    /// Saves the job that later removes the content of a file. Writing the row of the file deletes this job.
    pub(in crate::casework) async fn enqueue_removal(&self, path: &str) -> Result<(), StoreError> {
        let removal = Job::after(Work::RemoveContent { path: path.to_owned() }, ROWLESS_FOR);
        let mut connection = self.0.store().connection().await?;
        jobs::enqueue(&mut connection, &[removal], None).await?;
        Ok(())
    }

    /// Writes the row of a file and the job that checks it, and deletes the job that would remove its content.
    async fn keep(
        &self,
        stored: &StoredUpload,
        name: &Private<String>,
        trace: Option<&str>,
        request: Option<IdempotentRequest>,
        answer: impl FnOnce(&Upload) -> Answer + Send,
    ) -> Result<Given, UploadError> {
        let keys = self.0.store().keys();
        let now = self.0.now();
        let person = stored.upload.person;
        let mut tx = self.0.store().begin().await?;
        if let Entered::Replay(answer) = idempotency::enter(&mut tx, keys, request.as_ref(), now).await? {
            return Ok(idempotency::again(tx, answer).await?);
        }
        people::hold(&mut tx, person).await?;
        let most = self.0.files().most_unused();
        if uploads::count_unused(&mut tx, person).await? >= most {
            return Err(UploadError::TooMany { most });
        }
        uploads::insert(&mut tx, keys, stored, name).await?;
        let removal = Work::RemoveContent { path: stored.object_path.clone() };
        if !jobs::cancel_untried(&mut tx, &removal.key()).await? {
            return Err(UploadError::TooLate);
        }
        let answer = answer(&stored.upload);
        idempotency::leave(&mut tx, keys, request.as_ref(), &answer, now).await?;
        let check = Job::now(Work::CheckUpload { upload: stored.upload.id });
        let offers = jobs::enqueue(&mut tx, &[check], trace).await?;
        self.0.commit(tx, &Record::default(), offers).await?;
        Ok(Given::first(answer))
    }

    /// Removes the content of a file without a row. If this fails, the job removes it later.
    async fn remove_content(&self, path: &str) {
        if let Err(error) = self.0.files().remove(path).await {
            tracing::warn!(%error, path, "an unused content stays until its promised removal");
        }
    }

    /// Discards a file that belongs to no case. A job removes its content.
    pub async fn discard(self, acting: &Acting<PersonId>, id: UploadId) -> Result<(), UploadError> {
        let now = self.0.now();
        let mut tx = self.0.store().begin().await?;
        let found = uploads::find_for_change(&mut tx, id).await?;
        let stored = found.filter(|stored| stored.upload.person == acting.for_).ok_or(UploadError::NotFound)?;
        if stored.upload.keep_until.is_none() {
            return Err(UploadError::HandedIn);
        }
        let mut record = Record::default();
        self.remove(&mut tx, &mut record, &[stored]).await?;
        Ok(self.0.save_and_commit(tx, &record, now).await.map_err(SaveError::into_store)?)
    }

    /// Removes the rows of files, and adds jobs that remove the contents. The caller has locked the rows.
    pub(in crate::casework) async fn remove(
        self,
        tx: &mut Tx<'_>,
        record: &mut Record,
        files: &[StoredUpload],
    ) -> Result<(), StoreError> {
        let ids: Vec<UploadId> = files.iter().map(|stored| stored.upload.id).collect();
        uploads::remove(tx, &ids).await?;
        for path in files.iter().flat_map(StoredUpload::paths) {
            record.enqueue(&Job::now(Work::RemoveContent { path: path.to_owned() }), None)?;
        }
        Ok(())
    }

    pub async fn find(self, person: PersonId, id: UploadId) -> Result<StoredUpload, UploadError> {
        let found = self.stored(id).await?;
        found.filter(|stored| stored.upload.person == person).ok_or(UploadError::NotFound)
    }

    /// Returns the content that the owner of a file is shown.
    pub async fn show(self, person: PersonId, id: UploadId) -> Result<ShownContent, UploadError> {
        self.shown(self.find(person, id).await?.upload.check).await
    }

    /// Finds an upload of any owner. The caller must have checked that the reader is allowed to see the upload.
    pub(in crate::casework) async fn stored(self, id: UploadId) -> Result<Option<StoredUpload>, StoreError> {
        uploads::find(&mut *self.0.store().connection().await?, id).await
    }

    /// Opens the content that people are shown, if the check has passed.
    pub(in crate::casework) async fn shown(self, check: FileCheck) -> Result<ShownContent, UploadError> {
        match check {
            FileCheck::Pending => Err(UploadError::BeingChecked),
            FileCheck::Refused(fault) => Err(UploadError::Refused(fault)),
            FileCheck::Passed(shown) => {
                let content = self.0.files().open(&shown.path).await?;
                Ok(ShownContent { shown, content })
            }
        }
    }
}
