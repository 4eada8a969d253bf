//! Refuses applications for items outside the catalogue (目录之外不得实施行政审批), and keeps a log of refusals. A
//! person can apply only for an item that is in force. The item must also be handled on the phone, because only such an
//! item has a form.

use crate::casework::Casework;
use crate::casework::frame::catalogue::{self, ReadError};
use crate::catalog::Snapshot;
use crate::domain::item::{ItemCode, ItemVersion, Mode};
use crate::domain::kernel::ids::PersonId;
use crate::store::StoreError;
use crate::store::refused_applications::{self, By, Refused};

/// Why a person cannot apply for an item on the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOpen {
    /// The item is not in the catalogue, or not in force any more.
    #[error("the item is not published")]
    NotPublished,
    /// The item is in force, but is handled online, at a window or at a terminal.
    #[error("the item is not handled on the phone")]
    NotOnThePhone,
}

impl Casework {
    /// Adds refused applications to the log of refusals.
    pub(in crate::casework) async fn keep_refusals(&self, refused: &[Refused<'_>]) -> Result<(), StoreError> {
        if refused.is_empty() {
            return Ok(());
        }
        refused_applications::insert(&mut *self.store().connection().await?, refused, self.now()).await
    }

    /// Replaces the catalogue in memory if a newer one is published.
    pub(in crate::casework) async fn refresh_catalogue(&self) -> Result<(), StoreError> {
        match catalogue::refresh(self.store(), self.catalog()).await {
            Ok(_) => Ok(()),
            Err(ReadError::Nothing) => Err(StoreError::Broken(ReadError::Nothing.to_string())),
            Err(ReadError::Store(error)) => Err(error),
        }
    }

    /// Looks in the catalogue in memory for the item for which a person wants to apply. (This catalogue can be some
    /// seconds old. The database checks the item again when a case is opened.) A refusal is logged over a database
    /// connection of its own, so it stays in the log if the caller fails. Must be called before the caller begins its
    /// transaction, so that no transaction is open while this function waits for that connection.
    pub(in crate::casework) async fn open_item<'a>(
        &self,
        catalog: &'a Snapshot,
        code: &ItemCode,
        person: PersonId,
    ) -> Result<Result<&'a ItemVersion, NotOpen>, StoreError> {
        let found = find(catalog, code);
        if let Err(refusal) = found {
            self.keep_refusals(&[Refused { item: code, by: By::Person(person), reason: reason(refusal) }]).await?;
        }
        Ok(found)
    }
}

fn find<'a>(catalog: &'a Snapshot, code: &ItemCode) -> Result<&'a ItemVersion, NotOpen> {
    let item = catalog.in_force(code).ok_or(NotOpen::NotPublished)?;
    item.item.has(Mode::Mobile).then_some(item).ok_or(NotOpen::NotOnThePhone)
}

/// The reason that the log of refusals stores for an item that is not published.
pub(in crate::casework) const NOT_PUBLISHED: &str = "not_published";

const fn reason(refusal: NotOpen) -> &'static str {
    match refusal {
        NotOpen::NotPublished => NOT_PUBLISHED,
        NotOpen::NotOnThePhone => "not_on_the_phone",
    }
}
