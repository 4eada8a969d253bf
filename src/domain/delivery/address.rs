//! Postal addresses: names of GB/T 2260 divisions, a detail, and the person at the door.

use serde::{Deserialize, Serialize};

use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::AddressId;
use crate::domain::kernel::private::Private;

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

/// The names of a county (区县) and of what it belongs to, as the catalogue's regions give them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionNames {
    /// 省
    pub province: String,
    /// 市
    pub city: String,
    /// 区县
    pub county: String,
}

/// An entry of a person's address book (地址簿).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedAddress {
    pub id: AddressId,
    pub address: PostalAddress,
    /// Whether it is offered first.
    pub is_default: bool,
    /// When it was last changed.
    pub updated_at: Instant,
}
