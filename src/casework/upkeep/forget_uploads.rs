//! Deletes expired files that belong to no case: their rows at once, their contents by jobs.
//!
//! A submission marks its files as part of the case. A deleted file is gone for good, so this use case does not rely on
//! the marks alone. It also searches every application and draft of the file's owner for the file.

use std::collections::{BTreeMap, BTreeSet};

use crate::casework::upkeep::Upkeep;
use crate::domain::application::{Application, KEPT};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{PersonId, UploadId};
use crate::store::record::{Record, SaveError};
use crate::store::{Conn, StoreError, cases, drafts, housekeeping, uploads};

/// The maximum number of files that one transaction checks. This keeps transactions short.
const AT_ONCE: i64 = 100;

impl Upkeep<'_> {
    /// Checks a batch of expired files, and deletes the files that are in no case or draft. Returns how many files it
    /// checked; 0 if no file is left, or if another process is deleting.
    pub async fn forget_uploads(self) -> Result<u64, StoreError> {
        let now = self.0.now();
        let mut tx = self.0.store().begin().await?;
        if !housekeeping::try_lock(&mut tx).await? {
            return Ok(0);
        }
        let expired = uploads::expired(&mut tx, now, AT_ONCE).await?;
        if expired.is_empty() {
            return Ok(0);
        }
        let owners: BTreeSet<PersonId> = expired.iter().map(|stored| stored.upload.person).collect();
        let owners: Vec<PersonId> = owners.into_iter().collect();
        let handed_in = self.handed_in_by(&mut tx, &owners).await?;
        let drafted = self.drafted_by(&mut tx, &owners).await?;
        let mut kept = Vec::new();
        let mut unused = Vec::new();
        let looked_at = expired.len() as u64;
        for stored in expired {
            let id = stored.upload.id;
            match drafted.get(&id) {
                _ if handed_in.contains(&id) => kept.push((id, None)),
                Some(until) if *until > now => kept.push((id, Some(*until))),
                _ => unused.push(stored),
            }
        }
        uploads::keep(&mut tx, &kept).await?;
        let mut record = Record::default();
        self.0.uploads().remove(&mut tx, &mut record, &unused).await?;
        self.0.save_and_commit(tx, &record, now).await.map_err(SaveError::into_store)?;
        Ok(looked_at)
    }

    /// Collects every file in a case of these people.
    async fn handed_in_by(&self, conn: &mut Conn, people: &[PersonId]) -> Result<BTreeSet<UploadId>, StoreError> {
        let keys = self.0.store().keys();
        let mut named = BTreeSet::new();
        for sealed in cases::applications_of(conn, people).await? {
            let application: Application = keys.open_json(&cases::application_of(sealed.case), &sealed.application)?;
            named.extend(application.uploads());
            if let Some(supplement) = sealed.supplement {
                let supplement: Application = keys.open_json(&cases::supplement_of(sealed.case), &supplement)?;
                named.extend(supplement.uploads());
            }
        }
        Ok(named)
    }

    /// Collects every file in a draft of these people, with the time until which the draft is kept.
    async fn drafted_by(
        &self,
        conn: &mut Conn,
        people: &[PersonId],
    ) -> Result<BTreeMap<UploadId, Instant>, StoreError> {
        let mut named: BTreeMap<UploadId, Instant> = BTreeMap::new();
        for draft in drafts::all_open_of(conn, self.0.store().keys(), people).await? {
            let until = draft.updated_at + KEPT;
            for upload in draft.content.application.uploads() {
                let known = named.entry(upload).or_insert(until);
                *known = until.max(*known);
            }
        }
        Ok(named)
    }
}
