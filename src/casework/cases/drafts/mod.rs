//! Drafts (草稿) of applications. A person finds the same drafts on all their devices. A draft may be incomplete.
//! Saving it returns its faults, and only submitting refuses a draft with faults.

pub mod save;

use crate::casework::Casework;
use crate::domain::form::Fault;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{DraftId, PersonId};
use crate::domain::people::acting::Acting;
use crate::store::drafts::{self, Draft};
use crate::store::record::{ChangeKind, Record, SaveError};
use crate::store::{Conn, StoreError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatedDraft {
    pub draft: Draft,
    /// Every fault of the draft. Each has a JSON pointer to the faulty field.
    pub faults: Vec<Fault>,
}

#[derive(Clone, Copy)]
pub struct Drafts<'a>(&'a Casework);

impl Casework {
    pub const fn drafts(&self) -> Drafts<'_> {
        Drafts(self)
    }
}

impl Drafts<'_> {
    /// Lists a person's drafts, the most recently changed first. `after` is the last draft of the previous page.
    pub async fn list(
        self,
        person: PersonId,
        after: Option<(Instant, DraftId)>,
        limit: i64,
    ) -> Result<Vec<Draft>, StoreError> {
        drafts::open_of(&mut *self.0.store().connection().await?, self.0.store().keys(), person, after, limit).await
    }

    pub async fn find(self, person: PersonId, id: DraftId) -> Result<Option<ValidatedDraft>, StoreError> {
        let mut connection = self.0.store().connection().await?;
        match drafts::find(&mut connection, self.0.store().keys(), person, id).await? {
            Some(draft) => self.validated(&mut connection, draft).await.map(Some),
            None => Ok(None),
        }
    }

    /// Discards a draft. Returns false if the draft does not exist. A case that was opened from the draft stays.
    pub async fn discard(self, acting: &Acting<PersonId>, id: DraftId) -> Result<bool, StoreError> {
        let mut tx = self.0.store().begin().await?;
        if !drafts::remove(&mut tx, acting.for_, id).await? {
            return Ok(false);
        }
        let mut record = Record::default();
        record.change(acting.for_, ChangeKind::Draft, id);
        self.0.save_and_commit(tx, &record, self.0.now()).await.map_err(SaveError::into_store)?;
        Ok(true)
    }

    /// Returns the draft with the faults that would keep it from being submitted now.
    async fn validated(&self, conn: &mut Conn, draft: Draft) -> Result<ValidatedDraft, StoreError> {
        let catalog = self.0.catalog().current();
        // If the item is not in force any more, the draft is validated against the version for which it was saved.
        let item = catalog.in_force(&draft.item).or_else(|| catalog.version(&draft.item, draft.item_version));
        let Some(item) = item else { return Ok(ValidatedDraft { draft, faults: Vec::new() }) };
        let belongings = self.0.belongings(conn, draft.person, &draft.content).await?;
        let valid = self.0.validate(&catalog, &item.item, &draft.content, &belongings, self.0.now());
        Ok(ValidatedDraft { draft, faults: valid.err().unwrap_or_default() })
    }
}
