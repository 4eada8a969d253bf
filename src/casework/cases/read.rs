//! An applicant looks at their cases.

use crate::casework::Casework;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{CaseId, PersonId};
use crate::store::StoreError;
use crate::store::cases::{self, Owner, VersionedCase};

impl Casework {
    /// A person's cases, the newest first, after a place in the list.
    pub async fn cases(
        &self,
        person: PersonId,
        after: Option<(Instant, CaseId)>,
        limit: i64,
    ) -> Result<Vec<VersionedCase>, StoreError> {
        cases::of_applicant(&mut *self.store().connection().await?, self.store().keys(), person, after, limit).await
    }

    /// One of a person's cases.
    pub async fn case(&self, person: PersonId, id: CaseId) -> Result<Option<VersionedCase>, StoreError> {
        cases::find(&mut *self.store().connection().await?, self.store().keys(), id, Owner::Applicant(person)).await
    }
}
