//! An applicant looks at their cases.

use super::Casework;
use crate::domain::clock::Instant;
use crate::domain::ids::{CaseId, PersonId};
use crate::store::StoreError;
use crate::store::cases::{self, Owner, VersionedCase};

impl Casework {
    /// A person's cases, the newest first, after a place in the list.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn cases(
        &self,
        person: PersonId,
        after: Option<(Instant, CaseId)>,
        limit: i64,
    ) -> Result<Vec<VersionedCase>, StoreError> {
        cases::of_applicant(&mut *self.store().connection().await?, self.store().keys(), person, after, limit).await
    }

    /// One of a person's cases.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn case(&self, person: PersonId, id: CaseId) -> Result<Option<VersionedCase>, StoreError> {
        cases::find(&mut *self.store().connection().await?, self.store().keys(), id, Owner::Applicant(person)).await
    }
}
