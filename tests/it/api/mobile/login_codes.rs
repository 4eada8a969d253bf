//! Sign-in codes by SMS.

use futures_util::future::join_all;
use songda::casework::people::identity::join::{IfTaken, TakenError};
use songda::casework::people::identity::set_phone::SetPhoneError;
use songda::casework::people::login_codes::{CodeError, PresentedCode, RequestCodeError};
use songda::domain::kernel::private::Private;
use songda::domain::kernel::text::Language;
use songda::domain::people::identity::MobilePhone;

use crate::support::people_desk::{PeopleDesk, phone, private};

const NUMBER: &str = "13800138000";

/// A code that is presented over no network.
fn presented<'a>(phone: &'a MobilePhone, code: &'a Private<String>) -> PresentedCode<'a> {
    PresentedCode { phone, code, from: None }
}

#[tokio::test]
async fn a_code_signs_in_once() {
    let desk = PeopleDesk::open().await;
    desk.people.login_codes().request(&phone(NUMBER), None, None).await.unwrap();
    assert_eq!(desk.count("select count(*) from jobs where kind = 'send_login_code'").await, 1);
    let code = desk.code_for(NUMBER).await;
    let first = desk.after(1).sessions().by_sms(&presented(&phone(NUMBER), &code), Language::Chinese).await.unwrap();
    assert_eq!(first.who.phone, Some(phone(NUMBER)));
    let again = desk.after(2).sessions().by_sms(&presented(&phone(NUMBER), &code), Language::Chinese).await;
    assert!(matches!(again, Err(CodeError::Wrong)), "{again:?}");
    desk.after(60).login_codes().request(&phone(NUMBER), None, None).await.unwrap();
    let code = desk.code_for(NUMBER).await;
    let second = desk.after(61).sessions().by_sms(&presented(&phone(NUMBER), &code), Language::Chinese).await.unwrap();
    assert_eq!(second.who.id, first.who.id);
    desk.close().await;
}

#[tokio::test]
async fn a_code_expires_and_a_new_code_replaces_it() {
    let desk = PeopleDesk::open().await;
    desk.people.login_codes().request(&phone(NUMBER), None, None).await.unwrap();
    let old = desk.code_for(NUMBER).await;
    assert!(desk.after(600).sessions().by_sms(&presented(&phone(NUMBER), &old), Language::Chinese).await.is_err());
    desk.after(601).login_codes().request(&phone(NUMBER), None, None).await.unwrap();
    if old != desk.code_for(NUMBER).await {
        assert!(desk.after(602).sessions().by_sms(&presented(&phone(NUMBER), &old), Language::Chinese).await.is_err());
    }
    desk.close().await;
}

#[tokio::test]
async fn after_five_wrong_guesses_the_right_code_is_refused() {
    let desk = PeopleDesk::open().await;
    desk.people.login_codes().request(&phone(NUMBER), None, None).await.unwrap();
    let code = desk.code_for(NUMBER).await;
    let wrong = private(if code.expose() == "000000" { "000001" } else { "000000" });
    let number = phone(NUMBER);
    let guess = presented(&number, &wrong);
    let guesses = join_all((0..5).map(|_| desk.people.sessions().by_sms(&guess, Language::Chinese))).await;
    assert!(guesses.iter().all(|guess| matches!(guess, Err(CodeError::Wrong))), "{guesses:?}");
    let late = desk.people.sessions().by_sms(&presented(&phone(NUMBER), &code), Language::Chinese).await;
    assert!(matches!(late, Err(CodeError::Exhausted)), "{late:?}");
    desk.close().await;
}

#[tokio::test]
async fn ten_thousand_guesses_from_other_networks_get_nowhere_and_the_person_still_signs_in() {
    let desk = PeopleDesk::open().await;
    let number = phone(NUMBER);
    desk.people.login_codes().request(&number, Some("192.0.2.1".parse().unwrap()), None).await.unwrap();
    let code = desk.code_for(NUMBER).await;
    let wrong = private(if code.expose() == "000000" { "000001" } else { "000000" });
    let from = async |address: String, code: &Private<String>| {
        let presented = PresentedCode { phone: &number, code, from: Some(address.parse().unwrap()) };
        desk.people.sessions().by_sms(&presented, Language::Chinese).await
    };
    let networks = || (0..100).map(|network| format!("198.51.{network}.1"));
    let mut compared = 0;
    for _ in 0..100 {
        let guesses = join_all(networks().map(|network| from(network, &wrong))).await;
        compared += guesses.iter().filter(|guess| matches!(guess, Err(CodeError::Wrong))).count();
    }
    assert_eq!(compared, 20, "all others were refused unread");
    let stolen = from("203.0.113.1".to_owned(), &code).await;
    assert!(matches!(stolen, Err(CodeError::Exhausted)), "{stolen:?}");
    from("192.0.2.77".to_owned(), &code).await.unwrap();
    desk.close().await;
}

#[tokio::test]
async fn a_number_gets_one_code_a_minute_even_if_it_asks_concurrently() {
    let desk = PeopleDesk::open().await;
    let number = phone(NUMBER);
    let asked = join_all((0..8).map(|_| desk.people.login_codes().request(&number, None, None))).await;
    assert_eq!(asked.iter().filter(|answer| answer.is_ok()).count(), 1);
    let wait = asked.into_iter().find_map(|answer| match answer {
        Err(RequestCodeError::TooMany(wait)) => Some(wait.as_secs()),
        _ => None,
    });
    assert_eq!(wait, Some(60));
    for minute in 1..5 {
        desk.after(minute * 60).login_codes().request(&number, None, None).await.unwrap();
    }
    assert!(desk.after(5 * 60).login_codes().request(&number, None, None).await.is_err(), "five within the hour");
    assert!(
        desk.after(5 * 60).login_codes().request(&phone("13900139000"), None, None).await.is_ok(),
        "another number"
    );
    desk.after(3600).login_codes().request(&number, None, None).await.unwrap();
    desk.close().await;
}

#[tokio::test]
async fn a_number_belongs_to_one_person_and_can_be_moved() {
    let desk = PeopleDesk::open().await;
    let anna = desk.sign_in("anna").await.who.id;
    let bert = desk.sign_in("bert").await.who.id;
    let number = phone(NUMBER);
    desk.people.login_codes().request(&number, None, None).await.unwrap();
    let code = desk.code_for(NUMBER).await;
    desk.people.identity().set_phone(anna, &presented(&number, &code), IfTaken::Refuse).await.unwrap();
    assert_eq!(desk.people.identity().find(anna).await.unwrap().unwrap().phone, Some(number.clone()));
    desk.after(60).login_codes().request(&number, None, None).await.unwrap();
    let code = desk.code_for(NUMBER).await;
    let later = desk.after(61);
    let taken = later.identity().set_phone(bert, &presented(&number, &code), IfTaken::Refuse).await;
    assert!(matches!(taken, Err(SetPhoneError::Taken(TakenError::Taken))), "{taken:?}");
    later.identity().set_phone(bert, &presented(&number, &code), IfTaken::Move).await.unwrap();
    assert_eq!(desk.people.identity().find(anna).await.unwrap().unwrap().phone, None);
    assert_eq!(desk.people.identity().find(bert).await.unwrap().unwrap().phone, Some(number.clone()));
    let used = later.identity().set_phone(anna, &presented(&number, &code), IfTaken::Move).await;
    assert!(matches!(used, Err(SetPhoneError::Code(CodeError::Wrong))), "{used:?}");
    desk.close().await;
}
