//! Drafts (草稿): they follow the person over devices. A draft may be incomplete: its faults come back beside it as hints, and
//! only submitting requires that there are none.

pub mod discard;
pub mod read;
pub mod save;

use crate::casework::Casework;
use crate::domain::form::Fault;
use crate::store::drafts::Draft;
use crate::store::{Conn, StoreError};

/// A draft, and what would keep it from being submitted now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatedDraft {
    pub draft: Draft,
    /// Every fault, with a JSON pointer into the draft.
    pub faults: Vec<Fault>,
}

/// The drafts of applicants.
#[derive(Clone, Copy)]
pub struct Drafts<'a>(&'a Casework);

impl Casework {
    #[must_use]
    pub const fn drafts(&self) -> Drafts<'_> {
        Drafts(self)
    }
}

impl Drafts<'_> {
    async fn validated(&self, conn: &mut Conn, draft: Draft) -> Result<ValidatedDraft, StoreError> {
        let catalog = self.0.catalog().current();
        // Drafts of an item that is not in force any more are still validated; they cannot be saved or submitted.
        let item = catalog.in_force(&draft.item).or_else(|| catalog.version(&draft.item, draft.item_version));
        let Some(item) = item else { return Ok(ValidatedDraft { draft, faults: Vec::new() }) };
        let belongings = self.0.belongings(conn, draft.person, &draft.content).await?;
        let valid = self.0.validate(&catalog, &item.item, &draft.content, &belongings, self.0.now());
        Ok(ValidatedDraft { draft, faults: valid.err().unwrap_or_default() })
    }
}
