//! 目录之外不得实施行政审批: an item can be applied for only if it is published and in force, and here only if it is handled on
//! the phone, because only such an item has a form. Other attempts are refused, and kept.

use crate::casework::Casework;
use crate::casework::frame::catalogue::{self, ReadError};
use crate::catalog::Snapshot;
use crate::domain::item::{ItemCode, ItemVersion, Mode};
use crate::domain::kernel::ids::PersonId;
use crate::store::StoreError;
use crate::store::refused_applications::{self, By, Refused};

/// Why an item cannot be applied for here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOpen {
    /// The item is not in the catalogue, or not in force any more.
    #[error("the item is not published")]
    NotPublished,
    /// The item is in force, but is handled elsewhere: online, at a window, at a terminal.
    #[error("the item is not handled on the phone")]
    NotOnThePhone,
}

/// Why an application did not pass the list of items: it was refused, and the refusal is kept; or the database failed.
#[derive(Debug, thiserror::Error)]
pub(in crate::casework) enum GateError {
    #[error(transparent)]
    NotOpen(#[from] NotOpen),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Casework {
    /// Keeps attempts that were refused.
    pub(in crate::casework) async fn keep_refusals(&self, refused: &[Refused<'_>]) -> Result<(), StoreError> {
        if refused.is_empty() {
            return Ok(());
        }
        refused_applications::insert(&mut *self.store().connection().await?, refused, self.now()).await
    }

    /// Takes the published catalogue into memory if it is newer.
    pub(in crate::casework) async fn refresh_catalogue(&self) -> Result<(), StoreError> {
        match catalogue::refresh(self.store(), self.catalog()).await {
            Ok(_) => Ok(()),
            Err(ReadError::Nothing) => Err(StoreError::Broken(ReadError::Nothing.to_string())),
            Err(ReadError::Store(error)) => Err(error),
        }
    }

    /// The item in force of a code, if it can be applied for as far as this process knows. The record refuses a case whose
    /// item is not in force any more. A refusal is kept at once in a transaction of its own, so that it outlives a rollback
    /// that follows from it: call this while no transaction is open.
    pub(in crate::casework) async fn open_item<'a>(
        &self,
        catalog: &'a Snapshot,
        code: &ItemCode,
        person: PersonId,
    ) -> Result<&'a ItemVersion, GateError> {
        match find(catalog, code) {
            Ok(item) => Ok(item),
            Err(refusal) => {
                self.keep_refusals(&[Refused { item: code, by: By::Person(person), reason: reason(refusal) }]).await?;
                Err(refusal.into())
            }
        }
    }
}

fn find<'a>(catalog: &'a Snapshot, code: &ItemCode) -> Result<&'a ItemVersion, NotOpen> {
    let item = catalog.in_force(code).ok_or(NotOpen::NotPublished)?;
    item.item.has(Mode::Mobile).then_some(item).ok_or(NotOpen::NotOnThePhone)
}

/// The stored reason of an item that is not published.
pub(in crate::casework) const NOT_PUBLISHED: &str = "not_published";

const fn reason(refusal: NotOpen) -> &'static str {
    match refusal {
        NotOpen::NotPublished => NOT_PUBLISHED,
        NotOpen::NotOnThePhone => "not_on_the_phone",
    }
}
