//! Signing staff in and out. A closed account, an ended session or a changed role takes effect long before the access
//! token expires.

use futures_util::future::join_all;
use songda::casework::people::People;
use songda::casework::people::officers::{NewOfficer, OfficerError};
use songda::casework::people::sessions::by_password::{OfficerSignInError, PasswordSignIn};
use songda::casework::people::sessions::open::SignedIn;
use songda::casework::people::sessions::refresh::RefreshError;
use songda::demo::http::Caller;
use songda::domain::item::AgencyCode;
use songda::domain::kernel::ids::SessionId;
use songda::domain::people::session::SignInPlace;
use songda::domain::people::staff::{Officer, Role, Username};
use uuid::Uuid;

use crate::support::desk::Desk;
use crate::support::items::{AGENCY, ITEM};
use crate::support::people::add_staff;
use crate::support::people_desk::{PeopleDesk, private};
use crate::support::wait::wait_until;

const PASSWORD: &str = "correct horse battery";
const HERE: &str = "192.0.2.1/32";
const CASES: &str = "/staff/v1/cases";
const LANES: &str = "/ops/v1/lanes";

async fn with_officer() -> (PeopleDesk, Username) {
    let desk = PeopleDesk::open().await;
    let username: Username = "wang.fang".parse().unwrap();
    let new = NewOfficer {
        username: username.clone(),
        name: "王芳".to_owned(),
        agency: AgencyCode::new("housing"),
        role: Role::Officer,
        must_change_password: false,
    };
    desk.people.officers().add(new.clone(), private(PASSWORD)).await.unwrap();
    let twice = desk.people.officers().add(new, private(PASSWORD)).await;
    assert!(matches!(twice, Err(OfficerError::Taken)));
    (desk, username)
}

/// Signs in at the network that [`HERE`] names.
async fn try_here(people: &People, username: &str, password: &str) -> Result<SignedIn<Officer>, OfficerSignInError> {
    try_at(people, HERE, username, password).await
}

async fn try_at(
    people: &People,
    network: &str,
    username: &str,
    password: &str,
) -> Result<SignedIn<Officer>, OfficerSignInError> {
    let place = SignInPlace { network: network.to_owned(), client: None };
    let sign_in = PasswordSignIn { username: username.to_owned(), password: private(password), code: None, place };
    people.sessions().by_password(sign_in).await
}

#[tokio::test]
async fn after_five_wrong_passwords_their_network_waits_ever_longer_and_no_other() {
    let (desk, _) = with_officer().await;
    let wrong = join_all((0..7).map(|_| try_here(&desk.people, "wang.fang", "wrong"))).await;
    let refused = wrong.iter().filter(|answer| matches!(answer, Err(OfficerSignInError::Refused))).count();
    let delayed = wrong.iter().filter(|answer| matches!(answer, Err(OfficerSignInError::TooMany(_)))).count();
    assert_eq!((refused, delayed), (5, 2), "parallel guesses count like guesses one after another");
    assert!(matches!(try_here(&desk.after(29), "wang.fang", PASSWORD).await, Err(OfficerSignInError::TooMany(_))));
    assert!(matches!(try_here(&desk.after(30), "wang.fang", "wrong").await, Err(OfficerSignInError::Refused)));
    let wait = match try_here(&desk.after(30), "wang.fang", PASSWORD).await {
        Err(OfficerSignInError::TooMany(wait)) => wait.as_secs(),
        other => panic!("{other:?}"),
    };
    assert_eq!(wait, 60);
    try_at(&desk.after(30), "198.51.100.7/32", "wang.fang", PASSWORD).await.unwrap();
    try_here(&desk.after(90), "wang.fang", PASSWORD).await.unwrap();
    for _ in 0..5 {
        let again = try_here(&desk.after(91), "wang.fang", "wrong").await;
        assert!(matches!(again, Err(OfficerSignInError::Refused)), "a success begins a new count");
    }
    desk.close().await;
}

#[tokio::test]
async fn an_account_that_is_guessed_at_from_many_networks_stays_open_where_its_officer_works() {
    let (desk, _) = with_officer().await;
    try_here(&desk.people, "wang.fang", PASSWORD).await.unwrap();
    let guess = async |network: usize| {
        let network = format!("198.51.{}.{}/32", network / 256, network % 256);
        try_at(&desk.people, &network, "wang.fang", "wrong").await
    };
    for guesses in 0..25 {
        join_all((0..4).map(|part| guess(guesses * 4 + part))).await;
    }
    let stranger = try_at(&desk.people, "203.0.113.9/32", "wang.fang", PASSWORD).await;
    assert!(matches!(stranger, Err(OfficerSignInError::Refused)), "even the right password, from an unknown network");
    try_here(&desk.people, "wang.fang", PASSWORD).await.unwrap();
    let next_day = try_at(&desk.after(24 * 3600 + 1), "203.0.113.9/32", "wang.fang", PASSWORD).await;
    assert!(next_day.is_ok(), "guesses are forgotten after a day");
    desk.close().await;
}

#[tokio::test]
async fn an_unknown_username_is_answered_like_a_wrong_password() {
    let (desk, _) = with_officer().await;
    for _ in 0..6 {
        let unknown = try_here(&desk.people, "nobody", PASSWORD).await.unwrap_err();
        let wrong = try_here(&desk.people, "wang.fang", "wrong").await.unwrap_err();
        assert_eq!(unknown.to_string(), wrong.to_string(), "delays too");
    }
    assert!(try_here(&desk.people, "", "").await.is_err());
    desk.close().await;
}

#[tokio::test]
async fn a_closed_account_or_a_new_password_ends_all_sessions() {
    let (desk, username) = with_officer().await;
    let before = try_here(&desk.people, "wang.fang", PASSWORD).await.unwrap();
    desk.people.officers().reset_password(&username, private("another long password"), false).await.unwrap();
    assert!(desk.people.sessions().refresh_officer(&before.refresh_token).await.is_err());
    assert!(try_here(&desk.people, "wang.fang", PASSWORD).await.is_err());
    let between = try_here(&desk.people, "wang.fang", "another long password").await.unwrap();
    desk.people.officers().disable(&username).await.unwrap();
    assert!(desk.people.sessions().refresh_officer(&between.refresh_token).await.is_err());
    assert!(try_here(&desk.people, "wang.fang", "another long password").await.is_err());
    assert!(desk.people.officers().list().await.unwrap()[0].disabled_at.is_some());
    desk.close().await;
}

#[tokio::test]
async fn a_session_that_is_not_refreshed_for_half_an_hour_ends() {
    let (desk, _) = with_officer().await;
    let signed_in = try_here(&desk.people, "wang.fang", PASSWORD).await.unwrap();
    let account = |seconds| {
        let people = desk.after(seconds);
        async move { people.own_account(signed_in.who.id, SessionId::from_uuid(Uuid::nil())).sessions().await.unwrap() }
    };
    let refreshed = desk.after(1799).sessions().refresh_officer(&signed_in.refresh_token).await.unwrap();
    assert_eq!((account(1799 + 1799).await.len(), account(1799 + 1800).await.len()), (1, 0));
    let late = desk.after(1799 + 1800).sessions().refresh_officer(&refreshed.refresh_token).await;
    assert!(matches!(late, Err(RefreshError::Invalid)));
    assert_eq!(desk.count("select count(*) from sessions where ended_because = 'idle'").await, 1);
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
