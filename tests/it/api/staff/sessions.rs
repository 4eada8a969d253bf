//! Signing staff in and out. A closed account, an ended session or a changed role takes effect long before the access
//! token expires.

use futures_util::future::join_all;
use songda::casework::people::officers::{NewOfficer, OfficerError};
use songda::casework::people::sessions::by_password::OfficerSignInError;
use songda::demo::http::Caller;
use songda::domain::item::AgencyCode;
use songda::domain::people::staff::{Role, Username};

use crate::support::desk::Desk;
use crate::support::items::{AGENCY, ITEM};
use crate::support::people::add_staff;
use crate::support::people_desk::{PeopleDesk, private};
use crate::support::wait::wait_until;

const PASSWORD: &str = "correct horse battery";
const CASES: &str = "/staff/v1/cases";
const LANES: &str = "/ops/v1/lanes";

async fn with_officer() -> (PeopleDesk, Username) {
    let desk = PeopleDesk::open().await;
    let username: Username = "wang.fang".parse().unwrap();
    let agency = AgencyCode::new("housing");
    let new = NewOfficer { username: username.clone(), name: "王芳".to_owned(), agency, role: Role::Officer };
    desk.people.officers().add(new.clone(), private(PASSWORD)).await.unwrap();
    let twice = desk.people.officers().add(new, private(PASSWORD)).await;
    assert!(matches!(twice, Err(OfficerError::Taken)));
    (desk, username)
}

#[tokio::test]
async fn five_wrong_passwords_lock_an_account_for_a_quarter_of_an_hour() {
    let (desk, _) = with_officer().await;
    let wrong = join_all((0..7).map(|_| desk.people.sessions().by_password("wang.fang", private("wrong")))).await;
    assert!(wrong.iter().all(|answer| matches!(answer, Err(OfficerSignInError::Refused))));
    for (seconds, opens) in [(0, false), (899, false), (900, true)] {
        let answer = desk.after(seconds).sessions().by_password("wang.fang", private(PASSWORD)).await;
        assert_eq!(answer.is_ok(), opens, "after {seconds} s");
    }
    for _ in 0..4 {
        assert!(desk.after(901).sessions().by_password("wang.fang", private("wrong")).await.is_err());
    }
    let after_success = desk.after(902).sessions().by_password("wang.fang", private(PASSWORD)).await.unwrap();
    assert_eq!(after_success.who.agency, AgencyCode::new("housing"));
    desk.close().await;
}

#[tokio::test]
async fn an_unknown_username_is_answered_like_a_wrong_password() {
    let (desk, _) = with_officer().await;
    let unknown = desk.people.sessions().by_password("nobody", private(PASSWORD)).await.unwrap_err();
    let wrong = desk.people.sessions().by_password("wang.fang", private("wrong")).await.unwrap_err();
    assert_eq!(unknown.to_string(), wrong.to_string());
    assert!(desk.people.sessions().by_password("", private("")).await.is_err());
    desk.close().await;
}

#[tokio::test]
async fn a_closed_account_or_a_new_password_ends_all_sessions() {
    let (desk, username) = with_officer().await;
    let before = desk.people.sessions().by_password("wang.fang", private(PASSWORD)).await.unwrap();
    desk.people.officers().reset_password(&username, private("another long password")).await.unwrap();
    assert!(desk.people.sessions().refresh_officer(&before.refresh_token).await.is_err());
    assert!(desk.people.sessions().by_password("wang.fang", private(PASSWORD)).await.is_err());
    let between = desk.people.sessions().by_password("wang.fang", private("another long password")).await.unwrap();
    desk.people.officers().disable(&username).await.unwrap();
    assert!(desk.people.sessions().refresh_officer(&between.refresh_token).await.is_err());
    assert!(desk.people.sessions().by_password("wang.fang", private("another long password")).await.is_err());
    assert!(desk.people.officers().list().await.unwrap()[0].disabled_at.is_some());
    desk.close().await;
}

async fn sign_in(desk: &Desk, username: &str) -> Caller {
    desk.api.with_token(desk.staff_token(username).await)
}

/// Adds staff in [`AGENCY`], and signs them in.
async fn add(desk: &Desk, username: &str, role: &str) -> Caller {
    desk.songda(&add_staff(username, AGENCY, role)).await;
    sign_in(desk, username).await
}

async fn status(caller: &Caller, path: &str) -> u16 {
    caller.get(path).answer().await.unwrap().status.as_u16()
}

async fn wait_for_status(caller: &Caller, path: &str, wanted: u16) {
    wait_until(&format!("{path} answers {wanted}"), async || status(caller, path).await == wanted).await;
}

#[tokio::test]
async fn an_access_token_of_a_closed_account_is_refused() {
    let desk = Desk::open().await;
    let officer = add(&desk, "li.na", "officer").await;
    let operator = add(&desk, "ops", "operator").await;
    assert_eq!((status(&officer, CASES).await, status(&operator, LANES).await), (200, 200));
    for username in ["li.na", "ops"] {
        desk.songda(&["staff", "disable", username]).await;
    }
    wait_for_status(&officer, CASES, 401).await;
    wait_for_status(&operator, LANES, 401).await;
    desk.close().await;
}

#[tokio::test]
async fn an_access_token_of_an_ended_session_is_refused_and_another_session_goes_on() {
    let desk = Desk::open().await;
    let here = add(&desk, "li.na", "officer").await;
    let there = sign_in(&desk, "li.na").await;
    here.delete("/staff/v1/sessions/current").success().await.unwrap();
    wait_for_status(&here, CASES, 401).await;
    assert_eq!(status(&there, CASES).await, 200);
    desk.close().await;
}

#[tokio::test]
async fn another_role_or_agency_counts_before_the_token_expires() {
    let desk = Desk::open().await;
    let officer = add(&desk, "li.na", "officer").await;
    assert_eq!((status(&officer, CASES).await, status(&officer, LANES).await), (200, 403));
    desk.execute("update officers set role = 'operator' where username = 'li.na'").await;
    wait_for_status(&officer, LANES, 200).await;
    assert_eq!(status(&officer, CASES).await, 403, "operators see no cases");

    let case = desk.journey(ITEM).submitted().await.staff_path();
    desk.execute("update officers set role = 'officer' where username = 'li.na'").await;
    wait_for_status(&officer, &case, 200).await;
    desk.execute("update officers set agency = 'human-resources' where username = 'li.na'").await;
    wait_for_status(&officer, &case, 404).await;
    desk.close().await;
}
