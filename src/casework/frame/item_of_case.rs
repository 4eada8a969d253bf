//! The item of a case, as it was when the case was opened.

use std::borrow::Cow;

use crate::casework::upkeep::publish_catalogue::read_version;
use crate::catalog::Snapshot;
use crate::domain::case::Case;
use crate::domain::item::Item;
use crate::store::{Conn, StoreError};

/// Every version that a case was opened on is in the catalogue; one that was published a moment ago, and that another
/// process opened the case on, is not in this one's memory yet, and is read.
pub(in crate::casework) async fn item_of<'a>(
    conn: &mut Conn,
    catalog: &'a Snapshot,
    case: &Case,
) -> Result<Cow<'a, Item>, StoreError> {
    match catalog.version(&case.item, case.item_version) {
        Some(known) => Ok(Cow::Borrowed(&known.item)),
        None => read_version(conn, &case.item, case.item_version).await.map(Cow::Owned),
    }
}
