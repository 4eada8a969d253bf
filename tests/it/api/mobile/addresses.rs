//! The address book.

use futures_util::future::join_all;
use serde_json::json;
use songda::casework::frame::idempotency::{Answer, Given, IdempotencyError, IdempotentRequest};
use songda::casework::people::addresses::{AddressEntry, AddressError, AddressFault, MOST_ADDRESSES};
use songda::domain::delivery::address::SavedAddress;
use songda::domain::kernel::ids::PersonId;

use crate::support::people_desk::{PeopleDesk, private};

fn entry(detail: &str, is_default: bool) -> AddressEntry {
    AddressEntry {
        name: private("王小明"),
        phone: private("13800138000"),
        region: "320413".to_owned(),
        detail: private(detail),
        postcode: None,
        is_default,
    }
}

async fn add(
    desk: &PeopleDesk,
    person: PersonId,
    entry: &AddressEntry,
    once: Option<&IdempotentRequest>,
) -> Result<Given, AddressError> {
    let answer = |saved: &SavedAddress| Answer {
        form: json!({}),
        body: json!({"id": saved.id, "detail": saved.address.detail.expose()}),
    };
    desk.people.addresses().add(person, entry, once, answer).await
}

/// Adds an address, and reads it.
async fn added(desk: &PeopleDesk, person: PersonId, entry: &AddressEntry) -> SavedAddress {
    let given = add(desk, person, entry, None).await.unwrap();
    desk.people.addresses().find(person, given.answer.body["id"].as_str().unwrap().parse().unwrap()).await.unwrap()
}

#[tokio::test]
async fn an_address_book_has_one_default() {
    let desk = PeopleDesk::open().await;
    let anna = desk.sign_in("anna").await.who.id;
    let home = added(&desk, anna, &entry("家", false)).await;
    assert!(home.is_default, "the first address is the default");
    let office = added(&desk, anna, &entry("单位", true)).await;
    let book = desk.people.addresses().list(anna).await.unwrap();
    assert_eq!(book.iter().map(|a| (a.id, a.is_default)).collect::<Vec<_>>(), [(office.id, true), (home.id, false)]);
    desk.people.addresses().change(anna, home.id, &entry("新家", true)).await.unwrap();
    let book = desk.people.addresses().list(anna).await.unwrap();
    assert_eq!((book[0].id, book[0].address.detail.expose().as_str()), (home.id, "新家"));
    assert!(!book[1].is_default);
    join_all((0..6).map(|_| async { added(&desk, anna, &entry("又一处", true)).await })).await;
    let defaults = desk.people.addresses().list(anna).await.unwrap().iter().filter(|a| a.is_default).count();
    assert_eq!(defaults, 1);
    desk.close().await;
}

#[tokio::test]
async fn an_address_can_be_read_changed_and_removed_by_its_owner_only() {
    let desk = PeopleDesk::open().await;
    let anna = desk.sign_in("anna").await.who.id;
    let bert = desk.sign_in("bert").await.who.id;
    let home = added(&desk, anna, &entry("家", true)).await;
    assert!(matches!(desk.people.addresses().find(bert, home.id).await, Err(AddressError::NotFound)));
    let changed = desk.people.addresses().change(bert, home.id, &entry("别处", true)).await;
    assert!(matches!(changed, Err(AddressError::NotFound)));
    assert!(matches!(desk.people.addresses().remove(bert, home.id).await, Err(AddressError::NotFound)));
    assert_eq!(desk.people.addresses().find(anna, home.id).await.unwrap(), home);
    desk.people.addresses().remove(anna, home.id).await.unwrap();
    assert!(desk.people.addresses().list(anna).await.unwrap().is_empty());
    desk.close().await;
}

#[tokio::test]
async fn an_address_in_an_unknown_region_or_beyond_the_limit_is_refused() {
    let desk = PeopleDesk::open().await;
    let anna = desk.sign_in("anna").await.who.id;
    let elsewhere = AddressEntry { region: "999999".to_owned(), ..entry("家", true) };
    let refused = add(&desk, anna, &elsewhere, None).await;
    assert!(matches!(refused, Err(AddressError::Invalid(faults)) if faults == [AddressFault::Region]));
    let all = join_all((0..MOST_ADDRESSES + 3).map(|_| async { add(&desk, anna, &entry("家", false), None).await }));
    let all = all.await;
    assert_eq!(all.iter().filter(|answer| matches!(answer, Err(AddressError::Full))).count(), 3, "{all:?}");
    desk.close().await;
}

#[tokio::test]
async fn a_repeated_address_is_added_once_even_after_it_was_removed() {
    let desk = PeopleDesk::open().await;
    let anna = desk.sign_in("anna").await.who.id;
    let once = |fingerprint| IdempotentRequest {
        scope: format!("{anna}:add_address"),
        key: "k".to_owned(),
        fingerprint: [fingerprint; 32],
    };
    let again = async |once: IdempotentRequest| add(&desk, anna, &entry("人民中路100号", false), Some(&once)).await;
    let first = again(once(1)).await.unwrap();
    let second = again(once(1)).await.unwrap();
    assert_eq!((first.replayed, second.replayed, &second.answer), (false, true, &first.answer));
    let [saved] = &desk.people.addresses().list(anna).await.unwrap()[..] else { panic!("one address") };
    let plain = "select count(*) from idempotent_answers, unnest(array['王小明', '人民中路100号']) as word
        where position(convert_to(word, 'UTF8') in body_sealed) > 0";
    assert_eq!(desk.count(plain).await, 0, "the stored answer contains no address in plain text");
    desk.people.addresses().remove(anna, saved.id).await.unwrap();
    assert_eq!(again(once(1)).await.unwrap().answer, first.answer, "the first answer");
    assert_eq!(desk.people.addresses().list(anna).await.unwrap(), [], "the address is not added again");
    assert!(matches!(again(once(2)).await, Err(AddressError::Idempotency(IdempotencyError::Mismatch))));
    desk.close().await;
}
