use futures_util::future::join_all;
use songda::casework::people::People;
use songda::casework::people::verify_identity::VerifyError;
use songda::domain::kernel::clock::fresh;
use songda::domain::kernel::ids::{InstallationId, PersonId};
use songda::domain::kernel::text::Language;
use songda::domain::notice::device::{Device, Platform, PushAddress, PushPermission};
use songda::domain::notice::notification::ChannelCode;
use songda::domain::people::person::Person;

use crate::support::people_desk::{PeopleDesk, private};

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
async fn five_mismatches_are_enough_for_an_hour_even_of_many_at_once() {
    let desk = PeopleDesk::open().await;
    let (anna, bert) = (desk.somebody("anna").await.who.id, desk.somebody("bert").await.who.id);
    let guess = |people: People, who, name: &'static str| async move {
        people.verify_identity(who, &private(name), &private(RESIDENT_ID)).await
    };
    let guesses = join_all((0..12).map(|_| guess(desk.people.clone(), anna, "李四"))).await;
    let wrong = guesses.iter().filter(|answer| matches!(answer, Err(VerifyError::NotConfirmed))).count();
    let waits: Vec<u64> = guesses.iter().filter_map(wait).collect();
    assert_eq!((wrong, waits), (5, vec![3600; 7]), "{guesses:?}");
    assert_eq!(desk.register.asked(), 5, "each comparison is paid for");
    let late = guess(desk.people.clone(), anna, "王小明").await;
    assert_eq!(wait(&late), Some(3600), "the right one comes too late");
    assert!(guess(desk.people.clone(), bert, "王小明").await.is_ok(), "another person is not concerned");

    // In a day of patience there are twenty.
    for hour in 1..4 {
        for _ in 0..5 {
            let answer = guess(desk.after(hour * 3600), anna, "李四").await;
            assert!(matches!(answer, Err(VerifyError::NotConfirmed)), "{hour}: {answer:?}");
        }
    }
    assert_eq!(wait(&guess(desk.after(5 * 3600), anna, "李四").await), Some(19 * 3600));
    assert_eq!(desk.count("select count(*) from identity_tries").await, 20, "Bert's was right, and is forgotten");
    assert_eq!(desk.forget_old_after(24 * 3600 + 1).await, 5);
    desk.close().await;
}

#[tokio::test]
async fn what_nobody_compared_does_not_count() {
    let desk = PeopleDesk::open().await;
    let anna = desk.somebody("anna").await.who.id;
    for _ in 0..7 {
        let away = desk.people.verify_identity(anna, &private("停机"), &private(RESIDENT_ID)).await;
        assert!(matches!(away, Err(VerifyError::Gateway(_))), "{away:?}");
    }
    assert!(desk.people.verify_identity(anna, &private("王小明"), &private(RESIDENT_ID)).await.is_ok());
    assert_eq!(desk.count("select count(*) from identity_tries").await, 0);
    desk.close().await;
}

fn wait(answer: &Result<Person, VerifyError>) -> Option<u64> {
    match answer {
        Err(VerifyError::TooMany(wait)) => Some(wait.as_secs()),
        _ => None,
    }
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
