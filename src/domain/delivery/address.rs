//! Postal addresses: the names of the administrative divisions (GB/T 2260), the street address, and who is reached there.

use serde::{Deserialize, Serialize};

use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::AddressId;
use crate::domain::kernel::private::Private;

/// The recipient of a parcel, or the office that sends it, with the address. A recipient's is personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostalAddress {
    /// 收件人: the recipient, or the name of the office as on the label.
    pub name: Private<String>,
    /// A recipient's mobile number: eleven digits that begin with 1. Of the office, the text of `SONGDA_OFFICE_PHONE`: a
    /// mobile number or a landline (`0519-12345678`), as the operator wrote it.
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
