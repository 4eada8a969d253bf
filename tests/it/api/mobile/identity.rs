//! Verifying an identity (实名认证).

use futures_util::future::join_all;
use songda::casework::people::People;
use songda::casework::people::identity::verify::VerifyError;
use songda::domain::people::person::Person;

use crate::support::people_desk::{PeopleDesk, private};

const RESIDENT_ID: &str = "320422198506150024";
const ANOTHER: &str = "320482200002290011";

#[tokio::test]
async fn a_resident_id_belongs_to_one_person_for_good() {
    let desk = PeopleDesk::open().await;
    let anna = desk.sign_in("anna").await.who.id;
    let bert = desk.sign_in("bert").await.who.id;
    let verify = |person, name: &'static str, id: &'static str| {
        let people = desk.people.clone();
        async move { people.identity().verify(person, &private(name), &private(id)).await }
    };
    assert!(matches!(verify(anna, "李四", RESIDENT_ID).await, Err(VerifyError::NotConfirmed)));
    assert!(matches!(verify(anna, "王小明", "320422198506150025").await, Err(VerifyError::ResidentId(_))));
    assert!(verify(anna, " 王小明", RESIDENT_ID).await.unwrap().is_verified());
    assert!(verify(anna, "王小明", RESIDENT_ID).await.unwrap().is_verified());
    assert!(matches!(verify(bert, "王小明", RESIDENT_ID).await, Err(VerifyError::Taken)));
    assert!(matches!(verify(anna, "王小明", ANOTHER).await, Err(VerifyError::VerifiedAsAnother)));
    let anna = desk.people.identity().find(anna).await.unwrap().unwrap();
    assert_eq!(anna.identity.unwrap().resident_id.masked(), "3204**********0024");
    desk.close().await;
}

#[tokio::test]
async fn five_mismatches_block_a_person_for_an_hour_and_twenty_for_a_day() {
    let desk = PeopleDesk::open().await;
    let anna = desk.sign_in("anna").await.who.id;
    let bert = desk.sign_in("bert").await.who.id;
    let guess = |people: People, person, name: &'static str| async move {
        people.identity().verify(person, &private(name), &private(RESIDENT_ID)).await
    };
    let guesses = join_all((0..12).map(|_| guess(desk.people.clone(), anna, "李四"))).await;
    let wrong = guesses.iter().filter(|answer| matches!(answer, Err(VerifyError::NotConfirmed))).count();
    let waits: Vec<u64> = guesses.iter().filter_map(wait).collect();
    assert_eq!((wrong, waits), (5, vec![3600; 7]), "{guesses:?}");
    assert_eq!(desk.register.asked(), 5, "each comparison costs money");
    let late = guess(desk.people.clone(), anna, "王小明").await;
    assert_eq!(wait(&late), Some(3600), "the right name comes too late");
    assert!(guess(desk.people.clone(), bert, "王小明").await.is_ok(), "another person is not blocked");

    // A person who waits between tries has twenty tries a day.
    for hour in 1..4 {
        for _ in 0..5 {
            let answer = guess(desk.after(hour * 3600), anna, "李四").await;
            assert!(matches!(answer, Err(VerifyError::NotConfirmed)), "{hour}: {answer:?}");
        }
    }
    assert_eq!(wait(&guess(desk.after(5 * 3600), anna, "李四").await), Some(19 * 3600));
    assert_eq!(desk.count("select count(*) from identity_tries").await, 20, "Bert's try was right and is deleted");
    assert_eq!(desk.forget_old_after(24 * 3600 + 1).await, 5);
    desk.close().await;
}

#[tokio::test]
async fn a_try_during_an_outage_of_the_gateway_does_not_count() {
    let desk = PeopleDesk::open().await;
    let anna = desk.sign_in("anna").await.who.id;
    for _ in 0..7 {
        let away = desk.people.identity().verify(anna, &private("停机"), &private(RESIDENT_ID)).await;
        assert!(matches!(away, Err(VerifyError::Gateway(_))), "{away:?}");
    }
    assert!(desk.people.identity().verify(anna, &private("王小明"), &private(RESIDENT_ID)).await.is_ok());
    assert_eq!(desk.count("select count(*) from identity_tries").await, 0);
    desk.close().await;
}

/// Returns how many seconds a blocked person has to wait.
fn wait(answer: &Result<Person, VerifyError>) -> Option<u64> {
    match answer {
        Err(VerifyError::TooMany(wait)) => Some(wait.as_secs()),
        _ => None,
    }
}
