//! An applicant creates a draft under an id that the client chose, or changes a draft at the version that the client
//! has read.

use crate::casework::cases::drafts::{Drafts, ValidatedDraft};
use crate::casework::frame::powers::NotOpen;
use crate::domain::application::DraftContent;
use crate::domain::item::ItemCode;
use crate::domain::kernel::ids::{CaseId, DraftId, PersonId};
use crate::domain::people::acting::Acting;
use crate::store::drafts::{self, Draft};
use crate::store::record::{ChangeKind, Record, SaveError};
use crate::store::{StoreError, Tx, people};

/// The maximum number of a person's drafts that were not submitted.
pub const MOST_DRAFTS: i64 = 50;

#[derive(Debug, Clone)]
pub struct NewDraft {
    pub id: DraftId,
    pub item: ItemCode,
    pub content: DraftContent,
}

/// The precondition of saving a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// No draft with this id exists. The draft is created.
    Nothing,
    /// The draft exists at this version; `None` for any version.
    Version(Option<i64>),
}

#[derive(Debug, thiserror::Error)]
pub enum SaveDraftError {
    #[error(transparent)]
    NotOpen(#[from] NotOpen),
    /// Another draft already has the id under which the draft was to be created.
    #[error("the id is taken")]
    Exists,
    /// The draft does not exist, or is not the applicant's.
    #[error("there is no such draft here")]
    NotFound,
    #[error("the draft was changed since it was read")]
    Stale,
    #[error("the draft was submitted as {0}")]
    Submitted(CaseId),
    /// The applicant has [`MOST_DRAFTS`] drafts that were not submitted.
    #[error("there are too many drafts")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Drafts<'_> {
    /// Saves a draft, complete or not, and returns it with its faults.
    pub async fn save(
        self,
        acting: &Acting<PersonId>,
        new: NewDraft,
        expect: Expect,
    ) -> Result<ValidatedDraft, SaveDraftError> {
        let now = self.0.now();
        let catalog = self.0.catalog().current();
        let item_version = self.0.open_item(&catalog, &new.item, acting.for_).await??.version;
        let NewDraft { id, item, content } = new;
        let wanted = Draft {
            id,
            person: acting.for_,
            item,
            item_version,
            content,
            version: 1,
            created_at: now,
            updated_at: now,
            submitted_as: None,
        };
        let mut tx = self.0.store().begin().await?;
        let draft = match expect {
            Expect::Nothing => self.create(&mut tx, wanted).await?,
            Expect::Version(seen) => self.change(&mut tx, wanted, seen).await?,
        };
        let mut record = Record::default();
        record.change(draft.person, ChangeKind::Draft, draft.id);
        let offers = self.0.save(&mut tx, &record, now).await.map_err(SaveError::into_store)?;
        let validated = self.validated(&mut tx, draft).await?;
        self.0.commit(tx, &record, offers).await?;
        Ok(validated)
    }

    async fn create(&self, tx: &mut Tx<'_>, wanted: Draft) -> Result<Draft, SaveDraftError> {
        people::hold(tx, wanted.person).await?;
        let has_room = drafts::count_open(tx, wanted.person).await? < MOST_DRAFTS;
        if has_room && drafts::insert(tx, self.0.store().keys(), &wanted).await? {
            return Ok(wanted);
        }
        // A client that received no answer repeats its request. It then finds the draft that its first request created.
        let known = drafts::find(tx, self.0.store().keys(), wanted.person, wanted.id).await?;
        let same = |known: &Draft| known.version == 1 && known.item == wanted.item && known.content == wanted.content;
        match known {
            Some(known) if same(&known) => Ok(known),
            None if !has_room => Err(SaveDraftError::TooMany),
            _ => Err(SaveDraftError::Exists),
        }
    }

    /// Changes an existing draft. `seen` is the version that the client has read; `None` if any version is accepted.
    async fn change(&self, tx: &mut Tx<'_>, wanted: Draft, seen: Option<i64>) -> Result<Draft, SaveDraftError> {
        let keys = self.0.store().keys();
        let known = drafts::find_for_change(tx, keys, wanted.person, wanted.id).await?;
        let known = known.ok_or(SaveDraftError::NotFound)?;
        if let Some(case) = known.submitted_as {
            return Err(SaveDraftError::Submitted(case));
        }
        if seen.is_some_and(|seen| seen != known.version) {
            return Err(SaveDraftError::Stale);
        }
        let changed = Draft { version: known.version + 1, created_at: known.created_at, ..wanted };
        drafts::update(tx, keys, &changed).await?;
        Ok(changed)
    }
}
