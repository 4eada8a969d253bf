//! 目录之外不得实施行政审批: only an item that is published and in force can be applied for, and here only one that is
//! handled on the phone, because only such an item has a form. Other attempts are refused, and kept.

use super::Casework;
use crate::catalog::Snapshot;
use crate::domain::ids::PersonId;
use crate::domain::item::{ItemCode, ItemVersion, Mode};
use crate::store::{StoreError, refused_applications};

/// Why an item cannot be applied for here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOpen {
    /// It is not in the catalogue, or not in force any more.
    #[error("the item is not published")]
    NotPublished,
    /// It is in force, but is handled elsewhere: online, at a window, at a terminal.
    #[error("the item is not handled on the phone")]
    NotOnThePhone,
}

/// Why an application did not get past the list: it was refused and that was kept, or the record failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum GateError {
    #[error(transparent)]
    NotOpen(#[from] NotOpen),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Casework {
    /// The item in force of a code, if it can be applied for. A refusal is kept at once, in a transaction of its own,
    /// so that it outlives whatever is given up because of it: call this while none is open.
    pub(super) async fn open_item<'a>(
        &self,
        catalog: &'a Snapshot,
        code: &ItemCode,
        person: PersonId,
    ) -> Result<&'a ItemVersion, GateError> {
        match find(catalog, code) {
            Ok(item) => Ok(item),
            Err(refusal) => {
                let mut connection = self.store().connection().await?;
                refused_applications::insert(&mut connection, code, person, reason(refusal), self.now()).await?;
                Err(refusal.into())
            }
        }
    }
}

fn find<'a>(catalog: &'a Snapshot, code: &ItemCode) -> Result<&'a ItemVersion, NotOpen> {
    let item = catalog.in_force(code).ok_or(NotOpen::NotPublished)?;
    item.item.has(Mode::Mobile).then_some(item).ok_or(NotOpen::NotOnThePhone)
}

/// As stored.
const fn reason(refusal: NotOpen) -> &'static str {
    match refusal {
        NotOpen::NotPublished => "not_published",
        NotOpen::NotOnThePhone => "not_on_the_phone",
    }
}
