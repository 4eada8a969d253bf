//! An applicant reads their cases.

use crate::casework::cases::Cases;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{CaseId, PersonId};
use crate::store::StoreError;
use crate::store::cases::{self, Owner, VersionedCase};

impl Cases<'_> {
    /// Lists an applicant's cases, the newest first. `after` is the last case of the previous page.
    pub async fn list(
        self,
        person: PersonId,
        after: Option<(Instant, CaseId)>,
        limit: i64,
    ) -> Result<Vec<VersionedCase>, StoreError> {
        cases::of_applicant(&mut *self.0.store().connection().await?, self.0.store().keys(), person, after, limit).await
    }

    pub async fn find(self, person: PersonId, id: CaseId) -> Result<Option<VersionedCase>, StoreError> {
        cases::find(&mut *self.0.store().connection().await?, self.0.store().keys(), id, Owner::Applicant(person)).await
    }
}
