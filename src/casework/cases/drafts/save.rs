//! A person saves a draft: begins it under an id that the client made, or changes it as it was last seen.

use crate::casework::Casework;
use crate::casework::cases::drafts::JudgedDraft;
use crate::casework::frame::powers::{GateError, NotOpen};
use crate::domain::application::DraftContent;
use crate::domain::item::ItemCode;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{CaseId, DraftId, PersonId};
use crate::store::drafts::{self, Draft};
use crate::store::record::{ChangeKind, Record, SaveError};
use crate::store::{StoreError, Tx};

/// A draft as its owner wants it.
#[derive(Debug, Clone)]
pub struct NewDraft {
    pub id: DraftId,
    /// For which item.
    pub item: ItemCode,
    /// What is filled in.
    pub content: DraftContent,
}

/// What must be there for a draft to be saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Nothing: it is begun.
    Nothing,
    /// The draft at this version; at any, where none is named.
    Version(Option<i64>),
}

/// Why a draft is not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveDraftError {
    /// The item cannot be applied for here.
    #[error(transparent)]
    NotOpen(#[from] NotOpen),
    /// It was to be begun, but the id is taken.
    #[error("the id is taken")]
    Exists,
    /// There is no such draft, or it is not the caller's.
    #[error("there is no such draft here")]
    NotFound,
    /// Another device changed it since it was read.
    #[error("the draft was changed since it was read")]
    Stale,
    /// It is a case already.
    #[error("the draft was submitted as {0}")]
    Submitted(CaseId),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<GateError> for SaveDraftError {
    fn from(error: GateError) -> Self {
        match error {
            GateError::NotOpen(refusal) => Self::NotOpen(refusal),
            GateError::Store(error) => Self::Store(error),
        }
    }
}

impl Casework {
    /// Saves a draft. It need not be complete: what is wrong with it comes back beside it.
    ///
    /// # Errors
    /// When its item cannot be applied for, what is expected is not there, or it was submitted.
    pub async fn save_draft(
        &self,
        person: PersonId,
        new: NewDraft,
        expect: Expect,
    ) -> Result<JudgedDraft, SaveDraftError> {
        let now = self.now();
        let catalog = self.catalog().current();
        let item_version = self.open_item(&catalog, &new.item, person).await?.version;
        let mut tx = self.store().begin().await?;
        let draft = match expect {
            Expect::Nothing => self.begin_draft(&mut tx, person, new, item_version, now).await?,
            Expect::Version(seen) => self.change_draft(&mut tx, person, new, (item_version, seen), now).await?,
        };
        let mut record = Record::default();
        record.change(person, ChangeKind::Draft, draft.id);
        let offers = self.save(&mut tx, &record, now).await.map_err(SaveError::into_store)?;
        let judged = self.judged(&mut tx, draft).await?;
        self.commit(tx, &record, offers).await?;
        Ok(judged)
    }

    async fn begin_draft(
        &self,
        tx: &mut Tx<'_>,
        person: PersonId,
        NewDraft { id, item, content }: NewDraft,
        item_version: i32,
        now: Instant,
    ) -> Result<Draft, SaveDraftError> {
        let begun = Draft {
            id,
            person,
            item,
            item_version,
            content,
            version: 1,
            created_at: now,
            updated_at: now,
            submitted_as: None,
        };
        if drafts::insert(tx, self.store().keys(), &begun).await? {
            return Ok(begun);
        }
        // The answer to the same request may have been lost on its way.
        let known = drafts::find(tx, self.store().keys(), person, id).await?;
        let same = |known: &Draft| known.version == 1 && known.item == begun.item && known.content == begun.content;
        known.filter(same).ok_or(SaveDraftError::Exists)
    }

    async fn change_draft(
        &self,
        tx: &mut Tx<'_>,
        person: PersonId,
        NewDraft { id, item, content }: NewDraft,
        (item_version, seen): (i32, Option<i64>),
        now: Instant,
    ) -> Result<Draft, SaveDraftError> {
        let keys = self.store().keys();
        let known = drafts::find_for_change(tx, keys, person, id).await?.ok_or(SaveDraftError::NotFound)?;
        if let Some(case) = known.submitted_as {
            return Err(SaveDraftError::Submitted(case));
        }
        if seen.is_some_and(|seen| seen != known.version) {
            return Err(SaveDraftError::Stale);
        }
        let changed = Draft { item, item_version, content, version: known.version + 1, updated_at: now, ..known };
        drafts::update(tx, keys, &changed).await?;
        Ok(changed)
    }
}
