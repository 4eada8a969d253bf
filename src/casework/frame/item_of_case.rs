//! Finds the item of a case, in the version for which the case was opened.

use std::borrow::Cow;

use crate::casework::frame::catalogue::read_version;
use crate::catalog::Snapshot;
use crate::domain::case::Case;
use crate::domain::item::Item;
use crate::store::{Conn, StoreError};

/// Returns the item of a case. Reads it from the database if the version is not in memory yet: another process may have
/// opened the case for a version that was published a moment ago.
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
