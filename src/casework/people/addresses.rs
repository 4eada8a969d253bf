//! A person's address book (地址簿).

use super::{People, Regions, commit};
use crate::casework::frame::idempotency::{self, Answer, Entered, Given, IdempotencyError, IdempotentRequest};
use crate::domain::delivery::address::{PostalAddress, SavedAddress};
use crate::domain::kernel::clock::fresh;
use crate::domain::kernel::ids::{AddressId, PersonId};
use crate::domain::kernel::private::Private;
use crate::domain::people::identity::MobilePhone;
use crate::store::{StoreError, addresses, people};

pub const MOST_ADDRESSES: i64 = 20;

const LONGEST_NAME: usize = 50;
const LONGEST_DETAIL: usize = 200;

/// An address as a client sent it, not validated yet.
#[derive(Debug, Clone)]
pub struct AddressEntry {
    /// The recipient.
    pub name: Private<String>,
    /// The recipient's mobile number.
    pub phone: Private<String>,
    /// The six-digit GB/T 2260 code of the county.
    pub region: String,
    /// Street, building, room.
    pub detail: Private<String>,
    pub postcode: Option<String>,
    /// True if this address becomes the default address of the person.
    pub is_default: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressFault {
    /// The name is empty or too long.
    Name,
    /// The phone is not a mobile number of the mainland.
    Phone,
    /// The region is not a county of the catalogue.
    Region,
    /// The part of the address below the region (`detail`) is empty or too long.
    Detail,
    /// The postcode is not six digits.
    Postcode,
}

#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    #[error("not a usable address")]
    Invalid(Vec<AddressFault>),
    #[error("the address book is full")]
    Full,
    #[error("no such address")]
    NotFound,
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Validates an address, and adds the names of its region. Returns all faults at once.
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

#[derive(Clone, Copy)]
pub struct Addresses<'a>(&'a People);

impl People {
    pub const fn addresses(&self) -> Addresses<'_> {
        Addresses(self)
    }
}

impl Addresses<'_> {
    /// Lists a person's addresses, the default one first.
    pub async fn list(self, person: PersonId) -> Result<Vec<SavedAddress>, StoreError> {
        addresses::of_person(&mut *self.0.store.connection().await?, self.0.store.keys(), person).await
    }

    pub async fn find(self, person: PersonId, id: AddressId) -> Result<SavedAddress, AddressError> {
        let found = addresses::find(&mut *self.0.store.connection().await?, self.0.store.keys(), person, id).await?;
        found.ok_or(AddressError::NotFound)
    }

    /// Adds an address. A repeated request (same `Idempotency-Key`) gets the answer to the first one. The first address
    /// of an address book becomes its default.
    pub async fn add(
        self,
        person: PersonId,
        entry: &AddressEntry,
        request: Option<&IdempotentRequest>,
        answer: impl FnOnce(&SavedAddress) -> Answer + Send,
    ) -> Result<Given, AddressError> {
        let address = read_address(entry, &self.0.regions).map_err(AddressError::Invalid)?;
        let now = self.0.clock.now();
        let mut tx = self.0.store.begin().await?;
        if let Entered::Replay(answer) = idempotency::enter(&mut tx, self.0.store.keys(), request, now).await? {
            return Ok(idempotency::again(tx, answer).await?);
        }
        people::hold(&mut tx, person).await?;
        let count = addresses::count(&mut tx, person).await?;
        if count >= MOST_ADDRESSES {
            return Err(AddressError::Full);
        }
        let id = fresh(AddressId::from_uuid);
        let is_default = entry.is_default || count == 0;
        let saved = SavedAddress { id, address, is_default, updated_at: now };
        if is_default {
            addresses::clear_default(&mut tx, person, id).await?;
        }
        addresses::insert(&mut tx, self.0.store.keys(), person, &saved).await?;
        let answer = answer(&saved);
        idempotency::leave(&mut tx, self.0.store.keys(), request, &answer, now).await?;
        commit(tx).await?;
        Ok(Given::first(answer))
    }

    pub async fn change(
        self,
        person: PersonId,
        id: AddressId,
        entry: &AddressEntry,
    ) -> Result<SavedAddress, AddressError> {
        let address = read_address(entry, &self.0.regions).map_err(AddressError::Invalid)?;
        let saved = SavedAddress { id, address, is_default: entry.is_default, updated_at: self.0.clock.now() };
        let mut tx = self.0.store.begin().await?;
        people::hold(&mut tx, person).await?;
        if saved.is_default {
            addresses::clear_default(&mut tx, person, id).await?;
        }
        if !addresses::update(&mut tx, self.0.store.keys(), person, &saved).await? {
            return Err(AddressError::NotFound);
        }
        commit(tx).await?;
        Ok(saved)
    }

    /// Removes an address. Cases that were submitted with it have their own copy.
    pub async fn remove(self, person: PersonId, id: AddressId) -> Result<(), AddressError> {
        let removed = addresses::remove(&mut *self.0.store.connection().await?, person, id).await?;
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
    fn all_faults_of_an_address_are_reported_together() {
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
