//! Postal addresses: the names of the administrative divisions (GB/T 2260), the street address, and who is reached there.

use serde::{Deserialize, Serialize};

use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::AddressId;
use crate::domain::kernel::private::Private;

/// The recipient of a parcel, or the office that sends it, with the address. The data of a recipient is personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostalAddress {
    /// 收件人: the recipient, or the name of the office as on the label.
    pub name: Private<String>,
    /// A recipient's phone is always a mobile number: eleven digits, `1[3-9]…`. The office's phone can also be a landline
    /// (`0519-12345678`). It is the text of `SONGDA_OFFICE_PHONE`, whose form is not checked.
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
