//! Postal addresses: names of GB/T 2260 divisions, a detail, and the person at the door.

use serde::{Deserialize, Serialize};

use super::private::Private;

/// Who receives, and where. All of it is personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostalAddress {
    /// 收件人: the person at the door.
    pub name: Private<String>,
    /// A mobile number, `1XXXXXXXXXX`.
    pub phone: Private<String>,
    /// The six-digit GB/T 2260 code of the county or district.
    pub region: String,
    /// 省
    pub province: String,
    /// 市
    pub city: String,
    /// 区县
    pub county: String,
    /// 详细地址: street, building, room.
    pub detail: Private<String>,
    /// Postcode, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postcode: Option<String>,
}
