//! What an officer reads: the queue, a case in full, its history.

use chrono::NaiveDate;

use super::Desk;
use crate::casework::Casework;
use crate::casework::frame::item_of_case::item_of;
use crate::domain::application::Application;
use crate::domain::case::number::CaseNumber;
use crate::domain::kernel::ids::CaseId;
use crate::store::cases::{self, HistoryEntry, VersionedCase};
use crate::store::{Conn, StoreError};

/// A case with all that was handed in.
pub struct CaseFile {
    pub case: VersionedCase,
    /// What was applied for, as submitted.
    pub application: Application,
    /// The answer to a supplement notice.
    pub supplement: Option<Application>,
}

impl Casework {
    /// The agency's open cases by due date, after a place in the queue.
    pub async fn queue(
        &self,
        desk: &Desk,
        state: Option<&str>,
        after: Option<(Option<NaiveDate>, CaseId)>,
        limit: i64,
    ) -> Result<Vec<VersionedCase>, StoreError> {
        let keys = self.store().keys();
        cases::queue(&mut *self.store().connection().await?, keys, &desk.agency, state, after, limit).await
    }

    /// A case of the agency by its number, whatever state it is in.
    pub async fn case_numbered(&self, desk: &Desk, number: &CaseNumber) -> Result<Option<VersionedCase>, StoreError> {
        cases::by_number(&mut *self.store().connection().await?, self.store().keys(), &desk.agency, number).await
    }

    /// A case of the agency with all that was handed in, resident IDs and phone numbers masked; `None` if it has none of
    /// that id.
    pub async fn case_file(&self, desk: &Desk, id: CaseId) -> Result<Option<CaseFile>, StoreError> {
        let mut connection = self.store().connection().await?;
        let Some(file) = self.case_file_unmasked(&mut connection, desk, id).await? else { return Ok(None) };
        let catalog = self.catalog().current();
        // Only the form tells what has to be masked.
        let item = item_of(&mut connection, &catalog, &file.case.case).await?;
        let form = item.form.as_ref();
        Ok(Some(CaseFile {
            application: file.application.masked(form),
            supplement: file.supplement.map(|supplement| supplement.masked(form)),
            case: file.case,
        }))
    }

    /// The same with nothing masked: for [`Casework::disclose`], which records why.
    pub(super) async fn case_file_unmasked(
        &self,
        conn: &mut Conn,
        desk: &Desk,
        id: CaseId,
    ) -> Result<Option<CaseFile>, StoreError> {
        let keys = self.store().keys();
        let Some(case) = cases::find(conn, keys, id, desk.owner()).await? else { return Ok(None) };
        let parts = cases::sealed_parts(conn, &[id]).await?.into_iter().next();
        let parts = parts.ok_or_else(|| StoreError::Broken(format!("the application of {id}")))?;
        let application = keys.open_json("cases.application", &parts.application)?;
        let supplement = cases::supplement(conn, id).await?;
        let supplement = supplement.map(|sealed| keys.open_json("case_supplements.sealed", &sealed)).transpose()?;
        Ok(Some(CaseFile { case, application, supplement }))
    }

    /// The history of a case of the agency, oldest first; `None` if it has none of that id.
    pub async fn case_history(&self, desk: &Desk, id: CaseId) -> Result<Option<Vec<HistoryEntry>>, StoreError> {
        let mut connection = self.store().connection().await?;
        let keys = self.store().keys();
        if cases::find(&mut connection, keys, id, desk.owner()).await?.is_none() {
            return Ok(None);
        }
        cases::history(&mut connection, keys, id).await.map(Some)
    }
}
