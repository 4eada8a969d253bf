//! Pages of a list, and the cursors between them. A cursor is opaque to the client. Its message authentication code
//! (MAC) binds it to its operation and filters, so a changed cursor, or a cursor of another list, is refused.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use poem_openapi::Object;
use poem_openapi::types::{ParseFromJSON, ToJSON, Type};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::casework::read_models::KeyRing;

/// The number of rows per page, if a request has no `limit`.
pub const DEFAULT: usize = 20;
/// The maximum number of rows per page. A larger limit is clamped, not refused.
pub const MOST: usize = 100;
/// The length of the MAC in bytes.
const MAC: usize = 16;

/// 一页。 One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Page<T: ParseFromJSON + ToJSON + Type + Send + Sync> {
    /// The entries of this page.
    pub data: Vec<T>,
    /// True if there are more entries after this page.
    pub has_more: bool,
    /// The `cursor` of the next page; absent on the last page.
    pub next_cursor: Option<String>,
}

/// Returns the number of rows per page for the `limit` of a request.
pub fn clamp(limit: Option<u32>) -> usize {
    limit.map_or(DEFAULT, |limit| usize::try_from(limit).unwrap_or(MOST).clamp(1, MOST))
}

/// Creates and verifies cursors.
#[derive(Clone)]
pub struct Cursors {
    keys: KeyRing,
}

impl Cursors {
    /// `keys` must be the same in every process, because any process can receive the next request.
    pub const fn new(keys: KeyRing) -> Self {
        Self { keys }
    }

    /// Creates a cursor to a position in a list. `list` is the operation's id; `filters` are the filters of the
    /// request.
    pub fn write(&self, list: &str, filters: &impl Serialize, position: &impl Serialize) -> Result<String, Problem> {
        let position = serde_json::to_string(position).map_err(Problem::internal)?;
        let mut bytes = self.mac(list, filters, &position)?;
        bytes.extend_from_slice(position.as_bytes());
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Returns the position in a cursor. Returns `None` if the request has no cursor: its page is the first one. Fails
    /// with `invalid_cursor` if the cursor was changed, or created for another list or other filters.
    pub fn read<P: DeserializeOwned>(
        &self,
        list: &str,
        filters: &impl Serialize,
        cursor: Option<&str>,
    ) -> Result<Option<P>, Problem> {
        let Some(cursor) = cursor else { return Ok(None) };
        let invalid = || Problem::new(Code::InvalidCursor);
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid())?;
        let (mac, position) = bytes.split_at_checked(MAC).ok_or_else(invalid)?;
        let position = std::str::from_utf8(position).map_err(|_| invalid())?;
        verify_slices_are_equal(mac, &self.mac(list, filters, position)?).map_err(|_| invalid())?;
        serde_json::from_str(position).map(Some).map_err(|_| invalid())
    }

    /// Builds a page of at most `limit` rows. The query must fetch one row more: the extra row shows that there is a
    /// next page.
    pub fn page<R, T, P>(
        &self,
        list: &str,
        filters: &impl Serialize,
        mut rows: Vec<R>,
        limit: usize,
        position: impl Fn(&R) -> P,
        show: impl Fn(R) -> T,
    ) -> Result<Page<T>, Problem>
    where
        T: ParseFromJSON + ToJSON + Type + Send + Sync,
        P: Serialize,
    {
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| has_more);
        let next_cursor = last.map(|row| self.write(list, filters, &position(row))).transpose()?;
        Ok(Page { data: rows.into_iter().map(show).collect(), has_more, next_cursor })
    }

    fn mac(&self, list: &str, filters: &impl Serialize, position: &str) -> Result<Vec<u8>, Problem> {
        let filters = serde_json::to_string(filters).map_err(Problem::internal)?;
        let mut mac = self.keys.hash("api.cursor", &serde_json::json!([list, filters, position]).to_string());
        mac.truncate(MAC);
        Ok(mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cursors() -> Cursors {
        Cursors::new(KeyRing::parse(KeyRing::fresh_file().expose()).unwrap())
    }

    #[test]
    fn a_cursor_is_valid_for_its_own_list_and_filters_only() {
        let cursors = cursors();
        let cursor = cursors.write("cases", &["open"], &(7, "case_1")).unwrap();
        let read = |list, filters: &[&str]| cursors.read::<(i64, String)>(list, &filters, Some(&cursor));
        assert_eq!(read("cases", &["open"]).unwrap(), Some((7, "case_1".to_owned())));
        assert_eq!(read("cases", &["closed"]).unwrap_err().code(), Code::InvalidCursor);
        assert_eq!(read("items", &["open"]).unwrap_err().code(), Code::InvalidCursor);
        assert_eq!(cursors.read::<i64>("cases", &(), None).unwrap(), None);
    }

    #[test]
    fn the_last_page_has_no_cursor() {
        let cursors = cursors();
        let page = |rows| cursors.page("numbers", &(), rows, 2, |row| *row, |row: i64| row).unwrap();
        let full = page(vec![1, 2, 3]);
        assert_eq!((full.data, full.has_more), (vec![1, 2], true));
        assert_eq!(cursors.read::<i64>("numbers", &(), full.next_cursor.as_deref()).unwrap(), Some(2));
        assert_eq!(page(vec![1, 2]), Page { data: vec![1, 2], has_more: false, next_cursor: None });
    }

    #[test]
    fn a_limit_is_clamped() {
        assert_eq!([None, Some(0), Some(5), Some(u32::MAX)].map(clamp), [DEFAULT, 1, 5, MOST]);
    }

    proptest! {
        #[test]
        fn a_changed_cursor_is_refused(at in 0usize..64, bit in 0u8..8, junk in ".{0,60}") {
            let cursors = cursors();
            let cursor = cursors.write("cases", &(), &"01J0000000000000000000000").unwrap();
            let mut bytes = URL_SAFE_NO_PAD.decode(cursor).unwrap();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            let changed = URL_SAFE_NO_PAD.encode(bytes);
            prop_assert!(cursors.read::<String>("cases", &(), Some(&changed)).is_err());
            prop_assert!(cursors.read::<String>("cases", &(), Some(&junk)).is_err());
        }
    }
}
