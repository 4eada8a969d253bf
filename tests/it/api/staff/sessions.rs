use futures_util::future::join_all;
use songda::casework::people::manage_officers::{NewOfficer, OfficerError};
use songda::casework::people::officer_sign_in::OfficerSignInError;
use songda::domain::item::AgencyCode;
use songda::domain::people::staff::{Role, Username};

use crate::support::people_desk::{PeopleDesk, private};

const PASSWORD: &str = "correct horse battery";

async fn with_officer() -> (PeopleDesk, Username) {
    let desk = PeopleDesk::open().await;
    let username: Username = "wang.fang".parse().unwrap();
    let agency = AgencyCode::new("housing");
    let new = NewOfficer { username: username.clone(), name: "王芳".to_owned(), agency, role: Role::Officer };
    desk.people.add_officer(new.clone(), private(PASSWORD)).await.unwrap();
    let twice = desk.people.add_officer(new, private(PASSWORD)).await;
    assert!(matches!(twice, Err(OfficerError::Taken)));
    (desk, username)
}

#[tokio::test]
async fn five_failures_lock_an_account_for_a_quarter_of_an_hour() {
    let (desk, _) = with_officer().await;
    let wrong = join_all((0..7).map(|_| desk.people.officer_sign_in("wang.fang", private("wrong")))).await;
    assert!(wrong.iter().all(|answer| matches!(answer, Err(OfficerSignInError::Refused))));
    for (seconds, opens) in [(0, false), (899, false), (900, true)] {
        let answer = desk.after(seconds).officer_sign_in("wang.fang", private(PASSWORD)).await;
        assert_eq!(answer.is_ok(), opens, "after {seconds} s");
    }
    for _ in 0..4 {
        assert!(desk.after(901).officer_sign_in("wang.fang", private("wrong")).await.is_err());
    }
    let after_success = desk.after(902).officer_sign_in("wang.fang", private(PASSWORD)).await.unwrap();
    assert_eq!(after_success.who.agency, AgencyCode::new("housing"));
    desk.close().await;
}

#[tokio::test]
async fn an_unknown_name_is_answered_like_a_wrong_password() {
    let (desk, _) = with_officer().await;
    let unknown = desk.people.officer_sign_in("nobody", private(PASSWORD)).await.unwrap_err();
    let wrong = desk.people.officer_sign_in("wang.fang", private("wrong")).await.unwrap_err();
    assert_eq!(unknown.to_string(), wrong.to_string());
    assert!(desk.people.officer_sign_in("", private("")).await.is_err());
    desk.close().await;
}

#[tokio::test]
async fn a_closed_account_and_a_new_password_end_its_sessions() {
    let (desk, username) = with_officer().await;
    let before = desk.people.officer_sign_in("wang.fang", private(PASSWORD)).await.unwrap();
    desk.people.reset_password(&username, private("another long password")).await.unwrap();
    assert!(desk.people.refresh_officer(&before.refresh_token).await.is_err());
    assert!(desk.people.officer_sign_in("wang.fang", private(PASSWORD)).await.is_err());
    let between = desk.people.officer_sign_in("wang.fang", private("another long password")).await.unwrap();
    desk.people.disable_officer(&username).await.unwrap();
    assert!(desk.people.refresh_officer(&between.refresh_token).await.is_err());
    assert!(desk.people.officer_sign_in("wang.fang", private("another long password")).await.is_err());
    assert!(desk.people.officers().await.unwrap()[0].disabled_at.is_some());
    desk.close().await;
}
