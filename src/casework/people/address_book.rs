//! A person's address book (地址簿).

use super::{People, Regions, commit};
use crate::casework::frame::idempotency::{self, Answer, Entered, Given, Once, OnceError};
use crate::domain::delivery::address::{PostalAddress, SavedAddress};
use crate::domain::kernel::clock::fresh;
use crate::domain::kernel::ids::{AddressId, PersonId};
use crate::domain::kernel::private::Private;
use crate::domain::people::identity::MobilePhone;
use crate::store::{StoreError, addresses, people};

/// How many addresses a person may keep.
pub const MOST_ADDRESSES: i64 = 20;

const LONGEST_NAME: usize = 50;
const LONGEST_DETAIL: usize = 200;

/// An address as somebody typed it.
#[derive(Debug, Clone)]
pub struct AddressEntry {
    /// The person at the door.
    pub name: Private<String>,
    /// Their mobile number.
    pub phone: Private<String>,
    /// The six-digit GB/T 2260 code of the county.
    pub region: String,
    /// Street, building, room.
    pub detail: Private<String>,
    pub postcode: Option<String>,
    /// Whether it is offered first from now on.
    pub is_default: bool,
}

/// What is wrong with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressFault {
    /// The name is empty or too long.
    Name,
    /// The phone is no mobile number of the mainland.
    Phone,
    /// The region is no county that the catalogue knows.
    Region,
    /// The detail is empty or too long.
    Detail,
    /// The postcode is not six digits.
    Postcode,
}

/// Why an address was not saved or found.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// All that is wrong with it.
    #[error("not a usable address")]
    Invalid(Vec<AddressFault>),
    /// The book is full.
    #[error("the address book is full")]
    Full,
    /// The person has no such address.
    #[error("no such address")]
    NotFound,
    /// The same request is under way, or its key was used for another.
    #[error(transparent)]
    Once(#[from] OnceError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads an address as typed: every fault at once, or the address with the names of its region.
///
/// # Errors
/// All that is wrong with it.
pub fn read_address(entry: &AddressEntry, regions: &Regions) -> Result<PostalAddress, Vec<AddressFault>> {
    let name = clean(&entry.name, LONGEST_NAME).ok_or(AddressFault::Name);
    let phone = MobilePhone::parse(entry.phone.expose()).map_err(|_| AddressFault::Phone);
    let region = regions(&entry.region).ok_or(AddressFault::Region);
    let detail = clean(&entry.detail, LONGEST_DETAIL).ok_or(AddressFault::Detail);
    let is_postcode = |text: &String| text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit());
    let postcode = entry.postcode.clone().filter(|text| !text.is_empty());
    let postcode = if postcode.as_ref().is_none_or(is_postcode) { Ok(postcode) } else { Err(AddressFault::Postcode) };
    match (name, phone, region, detail, postcode) {
        (Ok(name), Ok(phone), Ok(names), Ok(detail), Ok(postcode)) => Ok(PostalAddress {
            name,
            phone: Private::new(phone.expose().to_owned()),
            region: entry.region.clone(),
            province: names.province,
            city: names.city,
            county: names.county,
            detail,
            postcode,
        }),
        (name, phone, region, detail, postcode) => {
            Err([name.err(), phone.err(), region.err(), detail.err(), postcode.err()].into_iter().flatten().collect())
        }
    }
}

fn clean(text: &Private<String>, longest: usize) -> Option<Private<String>> {
    let text = text.expose().trim();
    let good = (1..=longest).contains(&text.chars().count()) && !text.contains(char::is_control);
    good.then(|| Private::new(text.to_owned()))
}

impl People {
    /// A person's addresses, the default first.
    pub async fn addresses(&self, person: PersonId) -> Result<Vec<SavedAddress>, StoreError> {
        addresses::of_person(&mut *self.store.connection().await?, self.store.keys(), person).await
    }

    /// One of a person's addresses.
    ///
    /// # Errors
    /// [`AddressError::NotFound`]; or when the database is unavailable.
    pub async fn address(&self, person: PersonId, id: AddressId) -> Result<SavedAddress, AddressError> {
        let found = addresses::find(&mut *self.store.connection().await?, self.store.keys(), person, id).await?;
        found.ok_or(AddressError::NotFound)
    }

    /// Adds an address, and answers; the same request again gets the same answer. The first of a book is its default.
    ///
    /// # Errors
    /// [`AddressError`].
    pub async fn add_address(
        &self,
        person: PersonId,
        entry: &AddressEntry,
        once: Option<&Once>,
        answer: impl FnOnce(&SavedAddress) -> Answer + Send,
    ) -> Result<Given, AddressError> {
        let address = read_address(entry, &self.regions).map_err(AddressError::Invalid)?;
        let (mut tx, now) = (self.store.begin().await?, self.clock.now());
        if let Entered::Replay(answer) = idempotency::enter(&mut tx, self.store.keys(), once, now).await? {
            return Ok(idempotency::again(tx, answer).await?);
        }
        people::hold(&mut tx, person).await?;
        let count = addresses::count(&mut tx, person).await?;
        if count >= MOST_ADDRESSES {
            return Err(AddressError::Full);
        }
        let (id, is_default) = (fresh(AddressId::from_uuid), entry.is_default || count == 0);
        let saved = SavedAddress { id, address, is_default, updated_at: now };
        if is_default {
            addresses::clear_default(&mut tx, person, id).await?;
        }
        addresses::insert(&mut tx, self.store.keys(), person, &saved).await?;
        let answer = answer(&saved);
        idempotency::leave(&mut tx, self.store.keys(), once, &answer, now).await?;
        commit(tx).await?;
        Ok(Given::first(answer))
    }

    /// Replaces an address.
    ///
    /// # Errors
    /// [`AddressError`].
    pub async fn change_address(
        &self,
        person: PersonId,
        id: AddressId,
        entry: &AddressEntry,
    ) -> Result<SavedAddress, AddressError> {
        let address = read_address(entry, &self.regions).map_err(AddressError::Invalid)?;
        let saved = SavedAddress { id, address, is_default: entry.is_default, updated_at: self.clock.now() };
        let mut tx = self.store.begin().await?;
        people::hold(&mut tx, person).await?;
        if saved.is_default {
            addresses::clear_default(&mut tx, person, id).await?;
        }
        if !addresses::update(&mut tx, self.store.keys(), person, &saved).await? {
            return Err(AddressError::NotFound);
        }
        commit(tx).await?;
        Ok(saved)
    }

    /// Removes an address. Cases keep the copy that they were submitted with.
    ///
    /// # Errors
    /// [`AddressError::NotFound`]; or when the database is unavailable.
    pub async fn remove_address(&self, person: PersonId, id: AddressId) -> Result<(), AddressError> {
        let removed = addresses::remove(&mut *self.store.connection().await?, person, id).await?;
        removed.then_some(()).ok_or(AddressError::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::delivery::address::RegionNames;

    fn entry() -> AddressEntry {
        AddressEntry {
            name: Private::new(" 王小明 ".to_owned()),
            phone: Private::new("+86 138 0013 8000".to_owned()),
            region: "320413".to_owned(),
            detail: Private::new("西城街道清风路1号".to_owned()),
            postcode: Some("213200".to_owned()),
            is_default: false,
        }
    }

    fn regions() -> Regions {
        Arc::new(|code| {
            let names =
                RegionNames { province: "江苏省".into(), city: "常州市".into(), county: "金坛区".into() };
            (code == "320413").then_some(names)
        })
    }

    #[test]
    fn an_address_is_completed_by_its_region() {
        let address = read_address(&entry(), &regions()).unwrap();
        assert_eq!((address.province.as_str(), address.county.as_str()), ("江苏省", "金坛区"));
        assert_eq!((address.name.expose().as_str(), address.phone.expose().as_str()), ("王小明", "13800138000"));
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let entry = AddressEntry {
            name: Private::new(" ".to_owned()),
            phone: Private::new("12345".to_owned()),
            region: "320400".to_owned(),
            detail: Private::new("长".repeat(201)),
            postcode: Some("21320".to_owned()),
            is_default: true,
        };
        use AddressFault::{Detail, Name, Phone, Postcode, Region};
        assert_eq!(read_address(&entry, &regions()).unwrap_err(), [Name, Phone, Region, Detail, Postcode]);
    }
}
