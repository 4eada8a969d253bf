//! Drafts (草稿): they follow the person over devices. A draft may be incomplete; what is still wrong with it is told
//! beside it, as a hint, and only submitting insists.

pub mod discard;
pub mod read;
pub mod save;

use crate::casework::Casework;
use crate::domain::form::Fault;
use crate::store::drafts::Draft;
use crate::store::{Conn, StoreError};

/// A draft and what would keep it from being submitted now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedDraft {
    pub draft: Draft,
    /// Every fault, with a JSON pointer into the draft.
    pub faults: Vec<Fault>,
}

impl Casework {
    async fn judged(&self, conn: &mut Conn, draft: Draft) -> Result<JudgedDraft, StoreError> {
        let catalog = self.catalog().current();
        // An item that is out of force by now still judges its drafts; they cannot be saved or submitted any more.
        let item = catalog.in_force(&draft.item).or_else(|| catalog.version(&draft.item, draft.item_version));
        let Some(item) = item else { return Ok(JudgedDraft { draft, faults: Vec::new() }) };
        let belongings = self.belongings(conn, draft.person, &draft.content).await?;
        let judgement = self.judge(&catalog, &item.item, &draft.content, &belongings, self.now());
        Ok(JudgedDraft { draft, faults: judgement.err().unwrap_or_default() })
    }
}
