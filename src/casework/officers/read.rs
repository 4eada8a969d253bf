//! An officer reads the queue of open cases, a case with its application, and a case's history.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::casework::frame::item_of_case::item_of;
use crate::casework::officers::{OfficerAtWork, Officers};
use crate::domain::application::Application;
use crate::domain::case::number::CaseNumber;
use crate::domain::kernel::ids::{CaseId, UploadId};
use crate::store::cases::{self, HistoryEntry, VersionedCase};
use crate::store::{Conn, StoreError};

pub struct CaseFile {
    pub case: VersionedCase,
    pub application: Application,
    /// The applicant's answer to a supplement notice.
    pub supplement: Option<Application>,
}

impl CaseFile {
    /// Returns the ids of all files of the case.
    pub(super) fn uploads(&self) -> BTreeSet<UploadId> {
        let mut named = self.application.uploads();
        named.extend(self.supplement.iter().flat_map(Application::uploads));
        named
    }
}

impl Officers<'_> {
    /// Lists the open cases of the officer's agencies, sorted by due date. `after` is the last case of the previous
    /// page.
    pub async fn queue(
        self,
        officer: &OfficerAtWork,
        state: Option<&str>,
        after: Option<(Option<NaiveDate>, CaseId)>,
        limit: i64,
    ) -> Result<Vec<VersionedCase>, StoreError> {
        let mut connection = self.0.store().connection().await?;
        let keys = self.0.store().keys();
        let mut found = Vec::new();
        for agency in officer.remit.agencies() {
            found.extend(cases::queue(&mut connection, keys, agency, state, after, limit).await?);
        }
        found.sort_by_key(|found| (found.case.due_on.is_none(), found.case.due_on, found.case.id));
        found.truncate(usize::try_from(limit).unwrap_or_default());
        Ok(found)
    }

    /// Finds a case of the officer's agencies by its number, in any state.
    pub async fn by_number(
        self,
        officer: &OfficerAtWork,
        number: &CaseNumber,
    ) -> Result<Option<VersionedCase>, StoreError> {
        let mut connection = self.0.store().connection().await?;
        cases::by_number(&mut connection, self.0.store().keys(), &officer.remit, number).await
    }

    /// Reads a case with its application. Resident IDs and phone numbers are masked.
    pub async fn case_file(self, officer: &OfficerAtWork, id: CaseId) -> Result<Option<CaseFile>, StoreError> {
        let mut connection = self.0.store().connection().await?;
        let Some(file) = self.unmasked(&mut connection, officer, id).await? else { return Ok(None) };
        let catalog = self.0.catalog().current();
        // The item is needed because its form defines which fields are masked.
        let item = item_of(&mut connection, &catalog, &file.case.case).await?;
        let form = item.form.as_ref();
        Ok(Some(CaseFile {
            application: file.application.masked(form),
            supplement: file.supplement.map(|supplement| supplement.masked(form)),
            case: file.case,
        }))
    }

    /// Reads a case with its application. Resident IDs and phone numbers are not masked. The caller must record the
    /// disclosure in the case's history.
    pub(super) async fn unmasked(
        self,
        conn: &mut Conn,
        officer: &OfficerAtWork,
        id: CaseId,
    ) -> Result<Option<CaseFile>, StoreError> {
        let keys = self.0.store().keys();
        let Some(case) = cases::find(conn, keys, id, officer.owner()).await? else { return Ok(None) };
        let parts = cases::sealed_parts(conn, &[id]).await?.into_iter().next();
        let parts = parts.ok_or_else(|| StoreError::Broken(format!("the application of {id}")))?;
        let application = keys.open_json(&cases::application_of(id), &parts.application)?;
        let supplement = cases::supplement(conn, id).await?;
        let supplement = supplement.map(|sealed| keys.open_json(&cases::supplement_of(id), &sealed)).transpose()?;
        Ok(Some(CaseFile { case, application, supplement }))
    }

    /// Returns the history of a case, the oldest entry first; `None` if the officer's agencies have no such case.
    pub async fn history(self, officer: &OfficerAtWork, id: CaseId) -> Result<Option<Vec<HistoryEntry>>, StoreError> {
        let mut connection = self.0.store().connection().await?;
        let keys = self.0.store().keys();
        if cases::find(&mut connection, keys, id, officer.owner()).await?.is_none() {
            return Ok(None);
        }
        cases::history(&mut connection, keys, id).await.map(Some)
    }
}
