//! The check of an uploaded file, as the worker reads and writes it.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::json;

use crate::casework::frame::apply::{CaseOfItem, EventMessage};
use crate::casework::frame::item_of_case::item_of;
use crate::casework::jobs::Jobs;
use crate::domain::application::Application;
use crate::domain::application::upload::{FileCheck, FileFault, FileKind, ShownFile};
use crate::domain::case::Case;
use crate::domain::case::act::Act;
use crate::domain::kernel::ids::{PersonId, UploadId};
use crate::domain::notice::notification::Event;
use crate::domain::people::acting::{Acting, Actor};
use crate::domain::work::job::Work;
use crate::files::FilesError;
use crate::store::cases::Owner;
use crate::store::record::{Record, SaveError};
use crate::store::uploads::{self, StoredUpload};
use crate::store::{Conn, StoreError, Tx, cases, changes, jobs, reach};

/// A file that is not checked yet.
pub struct UploadToCheck(StoredUpload);

/// The reason why a check has no result.
#[derive(Debug, thiserror::Error)]
pub enum UncheckedError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Files(#[from] FilesError),
    /// Writing the copy took so long that its removal has begun.
    #[error("its copy is being removed already")]
    TooLate,
}

impl UploadToCheck {
    pub const fn kind(&self) -> FileKind {
        self.0.upload.kind
    }
}

impl Jobs<'_> {
    /// Finds a file to check; `None` if it was deleted, or checked before.
    pub async fn upload_to_check(self, id: UploadId) -> Result<Option<UploadToCheck>, StoreError> {
        let found = uploads::find(&mut *self.0.store().connection().await?, id).await?;
        Ok(found.filter(|stored| stored.upload.check == FileCheck::Pending).map(UploadToCheck))
    }

    /// Reads the original of a file.
    pub async fn original(self, file: &UploadToCheck) -> Result<Vec<u8>, FilesError> {
        self.0.files().open(&file.0.object_path).await?.read().await
    }

    /// Lets people see a file as it was uploaded.
    pub async fn pass_as_it_is(self, UploadToCheck(stored): &UploadToCheck) -> Result<(), StoreError> {
        let upload = &stored.upload;
        let path = stored.object_path.clone();
        let shown = ShownFile { kind: upload.kind, size: upload.size, sha256: upload.sha256, path };
        let mut connection = self.0.store().connection().await?;
        uploads::pass(&mut connection, upload.id, &shown, self.0.now()).await.map(drop)
    }

    /// Writes the copy of a picture, and lets people see it in place of the picture. `fence` makes the path of the copy
    /// the attempt's own. As with an upload, a job removes the copy unless the row names it.
    pub async fn pass_with_copy(
        self,
        UploadToCheck(stored): &UploadToCheck,
        fence: i64,
        kind: FileKind,
        copy: &[u8],
    ) -> Result<(), UncheckedError> {
        let path = format!("{}-shown-{fence}", stored.object_path);
        self.0.uploads().enqueue_removal(&path).await?;
        self.0.files().write(&path, copy).await?;
        let sha256 = digest(&SHA256, copy).as_ref().try_into().unwrap_or_default();
        let removal = Work::RemoveContent { path: path.clone() };
        let shown = ShownFile { kind, size: copy.len() as u64, sha256, path };
        let mut tx = self.0.store().begin().await?;
        let is_named = uploads::pass(&mut tx, stored.upload.id, &shown, self.0.now()).await?;
        if is_named && !jobs::cancel_untried(&mut tx, &removal.key()).await? {
            return Err(UncheckedError::TooLate);
        }
        Ok(tx.commit().await.map_err(StoreError::from)?)
    }

    /// Refuses a file. If it was submitted with a case that is still open, the history of the case and the resident's
    /// inbox say so.
    ///
    /// The locks are taken in the order of a submission, the log of the person and then the file, so the two cannot
    /// deadlock. A submission that comes later finds the file refused. One that came earlier is found here.
    pub async fn refuse_upload(
        self,
        UploadToCheck(stored): &UploadToCheck,
        fault: FileFault,
        trace: Option<&str>,
    ) -> Result<(), StoreError> {
        let id = stored.upload.id;
        let now = self.0.now();
        let mut tx = self.0.store().begin().await?;
        changes::hold(&mut tx, [stored.upload.person]).await?;
        let Some(owner) = uploads::refuse(&mut tx, id, fault, now).await? else { return Ok(()) };
        if owner != stored.upload.person {
            // The owner's account was joined with another one meanwhile. The next attempt locks the right log.
            return Err(StoreError::silent());
        }
        let mut record = Record::default();
        for case in self.open_cases_with(&mut tx, owner, id).await? {
            self.tell_of_refusal(&mut tx, &mut record, &case, id, fault, trace).await?;
        }
        if record.is_empty() {
            return Ok(tx.commit().await?);
        }
        self.0.save_and_commit(tx, &record, now).await.map_err(SaveError::into_store)
    }

    /// Returns the person's cases that are not closed and name this file.
    async fn open_cases_with(
        self,
        conn: &mut Conn,
        person: PersonId,
        upload: UploadId,
    ) -> Result<Vec<Case>, StoreError> {
        let keys = self.0.store().keys();
        let mut found = Vec::new();
        for sealed in cases::applications_of(conn, &[person]).await? {
            let application: Application = keys.open_json(&cases::application_of(sealed.case), &sealed.application)?;
            let mut named = application.uploads();
            if let Some(supplement) = &sealed.supplement {
                named.extend(keys.open_json::<Application>(&cases::supplement_of(sealed.case), supplement)?.uploads());
            }
            if named.contains(&upload)
                && let Some(found_case) = cases::find(conn, keys, sealed.case, Owner::Applicant(person)).await?
                && !found_case.case.is_closed()
            {
                found.push(found_case.case);
            }
        }
        Ok(found)
    }

    async fn tell_of_refusal(
        self,
        tx: &mut Tx<'_>,
        record: &mut Record,
        case: &Case,
        upload: UploadId,
        fault: FileFault,
        trace: Option<&str>,
    ) -> Result<(), StoreError> {
        let now = self.0.now();
        let acting = Acting { by: Actor::System, for_: case.agency.clone().into() };
        let cause = json!({ "upload": upload, "reason": fault.as_str() });
        record.remember(case.id, &acting, Act::FileRefused, cause, now);
        let catalog = self.0.catalog().current();
        let item = item_of(tx, &catalog, case).await?;
        let reach = reach::of(tx, &[case.applicant]).await?.remove(&case.applicant).unwrap_or_default();
        let message = EventMessage { event: Event::FileRefused, parcel: None, reach: &reach, trace };
        self.0.notify(record, CaseOfItem { case, item: &item }, &message, now)
    }
}
