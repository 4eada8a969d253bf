//! Devices, and the push tokens that they register.

use serde_json::json;
use songda::domain::kernel::clock::{Instant, fresh};
use songda::domain::kernel::ids::{InstallationId, PersonId};
use songda::domain::kernel::text::Language;
use songda::domain::notice::device::{Device, Platform, PushAddress, PushPermission};
use songda::domain::notice::notification::ChannelCode;

use crate::support::answers::faults;
use crate::support::desk::Desk;
use crate::support::people_desk::{PeopleDesk, private};

/// Returns a phone with this push token, as a person describes it.
fn phone(id: InstallationId, person: PersonId, token: &str, seen: Instant) -> Device {
    Device {
        id,
        person,
        platform: Platform::Android,
        push: Some(PushAddress { channel: ChannelCode::new("jpush"), token: private(token) }),
        app_version: "1.0".to_owned(),
        os_version: "15".to_owned(),
        language: Language::Chinese,
        push_permission: PushPermission::Granted,
        last_seen_at: seen,
    }
}

/// Returns how many push tokens a person has.
async fn tokens(desk: &PeopleDesk, person: PersonId) -> i64 {
    let sql = "select count(push_token_hash) from devices where person_id = $1";
    sqlx::query_scalar(sql).bind(person.uuid()).fetch_one(desk.people.store.pool()).await.unwrap()
}

#[tokio::test]
async fn a_push_token_belongs_to_the_person_who_registered_it_last() {
    let desk = PeopleDesk::open().await;
    let anna = desk.sign_in("anna").await.who.id;
    let bert = desk.sign_in("bert").await.who.id;
    let id = fresh(InstallationId::from_uuid);
    desk.people.devices().register(&phone(id, anna, "one", desk.start)).await.unwrap();
    desk.people.devices().register(&phone(id, anna, "one", desk.start)).await.unwrap();
    assert_eq!(tokens(&desk, anna).await, 1);
    desk.people.devices().register(&phone(id, bert, "one", desk.start)).await.unwrap();
    assert_eq!((tokens(&desk, anna).await, tokens(&desk, bert).await), (0, 1), "the phone is Bert's now");
    desk.close().await;
}

/// The client chooses the id of an installation, so knowing it proves nothing.
#[tokio::test]
async fn nobody_takes_the_device_of_somebody_else_by_its_id() {
    let desk = PeopleDesk::open().await;
    let victim = desk.sign_in("anna").await.who.id;
    let intruder = desk.sign_in("bert").await.who.id;
    let id = fresh(InstallationId::from_uuid);
    desk.people.devices().register(&phone(id, victim, "one", desk.start)).await.unwrap();
    desk.people.devices().register(&phone(id, intruder, "two", desk.start)).await.unwrap();
    assert_eq!((tokens(&desk, victim).await, tokens(&desk, intruder).await), (1, 1));
    assert!(desk.people.devices().forget(intruder, id).await.unwrap());
    assert_eq!(tokens(&desk, victim).await, 1);
    assert!(desk.people.devices().forget(victim, id).await.unwrap());
    desk.close().await;
}

#[tokio::test]
async fn a_push_token_of_an_unknown_channel_is_refused() {
    let desk = Desk::open().await;
    let resident = desk.resident().await;
    let device = json!({
        "platform": "android", "push_channel": "carrier_pigeon", "push_token": "coo", "push_permission": "granted",
        "app_version": "1.4.0", "os_version": "16", "language": "zh-CN",
    });
    let path = format!("/v1/devices/{}", fresh(InstallationId::from_uuid));
    let reply = resident.caller().put(&path).json(&device).answer().await.unwrap();
    assert_eq!(reply.status.as_u16(), 422, "{}", reply.body);
    assert_eq!(faults(&reply)[0], ("/push_channel", "unknown_channel"));
    desk.close().await;
}
