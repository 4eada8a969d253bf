//! Devices, and the push tokens that they register.

use serde_json::json;
use songda::domain::kernel::clock::fresh;
use songda::domain::kernel::ids::{InstallationId, PersonId};
use songda::domain::kernel::text::Language;
use songda::domain::notice::device::{Device, Platform, PushAddress, PushPermission};
use songda::domain::notice::notification::ChannelCode;

use crate::support::answers::faults;
use crate::support::desk::Desk;
use crate::support::people_desk::{PeopleDesk, private};

#[tokio::test]
async fn a_device_belongs_to_the_person_who_signed_in_last() {
    let desk = PeopleDesk::open().await;
    let anna = desk.sign_in("anna").await.who.id;
    let bert = desk.sign_in("bert").await.who.id;
    let id = fresh(InstallationId::from_uuid);
    let device = |person: PersonId, token: &str| Device {
        id,
        person,
        platform: Platform::Android,
        push: Some(PushAddress { channel: ChannelCode::new("jpush"), token: private(token) }),
        app_version: "1.0".to_owned(),
        os_version: "15".to_owned(),
        language: Language::Chinese,
        push_permission: PushPermission::Granted,
        last_seen_at: desk.start,
    };
    desk.people.devices().register(&device(anna, "one")).await.unwrap();
    desk.people.devices().register(&device(bert, "two")).await.unwrap();
    assert_eq!(desk.count("select count(*) from devices").await, 1);
    assert!(!desk.people.devices().forget(anna, id).await.unwrap(), "it is Bert's now");
    assert!(desk.people.devices().forget(bert, id).await.unwrap());
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
