use songda::casework::people::verify_identity::VerifyError;
use songda::domain::clock::fresh;
use songda::domain::device::{Device, Platform, PushAddress, PushPermission};
use songda::domain::ids::{InstallationId, PersonId};
use songda::domain::notification::ChannelCode;
use songda::domain::text::Language;

use super::desk::{PeopleDesk, private};

const RESIDENT_ID: &str = "320422198506150024";
const ANOTHER: &str = "320482200002290011";

#[tokio::test]
async fn a_resident_id_belongs_to_one_person_for_good() {
    let desk = PeopleDesk::open().await;
    let (anna, bert) = (desk.somebody("anna").await.who.id, desk.somebody("bert").await.who.id);
    let verify = |who, name: &'static str, id: &'static str| {
        let people = desk.people.clone();
        async move { people.verify_identity(who, &private(name), &private(id)).await }
    };
    assert!(matches!(verify(anna, "李四", RESIDENT_ID).await, Err(VerifyError::NotConfirmed)));
    assert!(matches!(verify(anna, "王小明", "320422198506150025").await, Err(VerifyError::ResidentId(_))));
    assert!(verify(anna, " 王小明", RESIDENT_ID).await.unwrap().is_verified());
    assert!(verify(anna, "王小明", RESIDENT_ID).await.unwrap().is_verified());
    assert!(matches!(verify(bert, "王小明", RESIDENT_ID).await, Err(VerifyError::Taken)));
    assert!(matches!(verify(anna, "王小明", ANOTHER).await, Err(VerifyError::VerifiedAsAnother)));
    let anna = desk.people.me(anna).await.unwrap().unwrap();
    assert_eq!(anna.identity.unwrap().resident_id.masked(), "3204**********0024");
    desk.close().await;
}

#[tokio::test]
async fn a_device_follows_whoever_signed_in_last() {
    let desk = PeopleDesk::open().await;
    let (anna, bert) = (desk.somebody("anna").await.who.id, desk.somebody("bert").await.who.id);
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
    desk.people.register_device(&device(anna, "one")).await.unwrap();
    desk.people.register_device(&device(bert, "two")).await.unwrap();
    assert_eq!(desk.count("select count(*) from devices").await, 1);
    assert!(!desk.people.forget_device(anna, id).await.unwrap(), "it is Bert's now");
    assert!(desk.people.forget_device(bert, id).await.unwrap());
    desk.close().await;
}
