//! The item of a case, as it was when the case was opened.

use std::borrow::Cow;

use crate::casework::frame::catalogue::read_version;
use crate::catalog::Snapshot;
use crate::domain::case::Case;
use crate::domain::item::Item;
use crate::store::{Conn, StoreError};

/// The catalogue holds every version that a case was opened on. A version that was published a moment ago, and on which
/// another process opened the case, is not in this process's memory yet: it is read from the database.
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
