//! Postal addresses: the names of the administrative divisions (GB/T 2260), the street address, and the recipient.

use serde::{Deserialize, Serialize};

use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::AddressId;
use crate::domain::kernel::private::Private;

/// A recipient and their address. All of it is personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostalAddress {
    /// 收件人: the recipient at the door.
    pub name: Private<String>,
    /// A mobile number, `1XXXXXXXXXX`. The number of an office that sends parcels can also be a landline.
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postcode: Option<String>,
}

/// The names of a county and of its city and province, from the catalogue's regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionNames {
    pub province: String,
    pub city: String,
    pub county: String,
}

/// An entry of a person's address book (地址簿).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedAddress {
    pub id: AddressId,
    pub address: PostalAddress,
    /// True if clients should offer this address first.
    pub is_default: bool,
    pub updated_at: Instant,
}
