//! The second factor of officers: an authenticator app (RFC 6238) and recovery codes.

use chrono::TimeDelta;
use data_encoding::BASE32_NOPAD;
use serde_json::{Value, json};
use songda::auth::totp::TotpSecret;
use songda::casework::people::People;
use songda::casework::people::officers::NewOfficer;
use songda::casework::people::second_factor::Proof;
use songda::casework::people::sessions::by_password::{OfficerSignInError, PasswordSignIn};
use songda::demo::http::{Caller, Reply};
use songda::domain::item::AgencyCode;
use songda::domain::kernel::clock::Clock;
use songda::domain::kernel::ids::{OfficerId, SessionId};
use songda::domain::kernel::private::Private;
use songda::domain::people::session::SignInPlace;
use songda::domain::people::staff::Role;
use uuid::Uuid;

use crate::support::answers::{assert_problem, faults};
use crate::support::desk::Desk;
use crate::support::items::AGENCY;
use crate::support::people::{PASSWORD, add_staff};
use crate::support::people_desk::{PeopleDesk, private};

const CASES: &str = "/staff/v1/cases";

async fn sign_in(desk: &Desk, code: Option<&str>) -> Reply {
    let mut credentials = json!({"username": "li.na", "password": PASSWORD});
    if let Some(code) = code {
        credentials["code"] = code.into();
    }
    desk.api.post("/staff/v1/sessions").json(&credentials).answer().await.unwrap()
}

/// Begins an enrolment, and returns the secret that the app would scan.
async fn enrol(officer: &Caller) -> TotpSecret {
    let proof = json!({"password": PASSWORD});
    let offered = officer.post("/staff/v1/me/second-factor").json(&proof).success().await.unwrap();
    let secret = offered.text("/secret").unwrap();
    assert!(offered.text("/uri").unwrap().starts_with(&format!("otpauth://totp/Songda:li.na?secret={secret}&")));
    assert_eq!(offered.header("cache-control"), "no-store");
    TotpSecret::of(BASE32_NOPAD.decode(secret.as_bytes()).unwrap())
}

async fn confirm(officer: &Caller, code: &str) -> Reply {
    officer.post("/staff/v1/me/second-factor/confirmation").json(&json!({"code": code})).answer().await.unwrap()
}

/// Adds `li.na`, and signs her in.
async fn officer(desk: &Desk) -> Caller {
    desk.songda(&add_staff("li.na", AGENCY, "officer")).await;
    desk.api.with_token(sign_in(desk, None).await.text("/access_token").unwrap())
}

#[tokio::test]
async fn a_sign_in_needs_a_code_of_the_app_that_was_enrolled_and_each_code_works_once() {
    let desk = Desk::builder().without_worker().open().await;
    let officer = officer(&desk).await;
    let early = confirm(&officer, "000000").await;
    assert_problem(&early, 409, "conflict");
    let wrong = json!({"password": "wrong"});
    let refused = officer.post("/staff/v1/me/second-factor").json(&wrong).answer().await.unwrap();
    assert_problem(&refused, 403, "password_wrong");

    let app = enrol(&officer).await;
    assert_eq!(sign_in(&desk, None).await.status.as_u16(), 201, "the app has not confirmed");
    let now = Clock::system().now();
    let other = app.code(now + TimeDelta::days(1));
    assert_eq!(faults(&confirm(&officer, &other).await), [("/code", "wrong")]);
    let confirmed = confirm(&officer, &app.code(now)).await;
    let codes: Vec<String> = serde_json::from_value(confirmed.body["codes"].clone()).unwrap();
    assert_eq!((confirmed.status.as_u16(), codes.len()), (201, 10));

    assert_problem(&sign_in(&desk, None).await, 401, "second_factor_required");
    assert_problem(&sign_in(&desk, Some(&app.code(now))).await, 401, "second_factor_wrong");
    let next = app.code(now + TimeDelta::seconds(30));
    assert_eq!(sign_in(&desk, Some(&next)).await.status.as_u16(), 201);
    assert_problem(&sign_in(&desk, Some(&next)).await, 401, "second_factor_wrong");
    assert_eq!(sign_in(&desk, Some(&codes[3].to_uppercase())).await.status.as_u16(), 201);
    assert_problem(&sign_in(&desk, Some(&codes[3])).await, 401, "second_factor_wrong");
    let shown = officer.get("/staff/v1/me/second-factor").success().await.unwrap();
    assert_eq!(shown.body["recovery_codes_left"], 9);

    let renewed = officer.post("/staff/v1/me/recovery-codes");
    let renewed = renewed.json(&json!({"password": PASSWORD, "code": codes[4]})).success().await.unwrap();
    assert_eq!(renewed.body["codes"].as_array().map(Vec::len), Some(10));
    assert_problem(&sign_in(&desk, Some(&codes[5])).await, 401, "second_factor_wrong");

    desk.songda(&["staff", "reset-second-factor", "li.na"]).await;
    assert_eq!(sign_in(&desk, None).await.status.as_u16(), 201);
    desk.close().await;
}

#[tokio::test]
async fn an_officer_of_a_listed_role_does_nothing_before_enrolling() {
    let desk = Desk::builder().without_worker().settings(&[("SONGDA_SECOND_FACTOR", "officer")]).open().await;
    let officer = officer(&desk).await;
    let next_step = async || officer.get("/staff/v1/me").success().await.unwrap().body["next_step"].clone();
    assert_eq!(next_step().await, "enrol_second_factor");
    assert_problem(&officer.get(CASES).answer().await.unwrap(), 403, "second_factor_missing");
    let app = enrol(&officer).await;
    assert_eq!(confirm(&officer, &app.code(Clock::system().now())).await.status.as_u16(), 201);
    assert_eq!(next_step().await, Value::Null);
    officer.get(CASES).success().await.unwrap();
    desk.operator().await.caller().get("/ops/v1/lanes").success().await.unwrap();
    desk.close().await;
}

/// Signs in from a network, at the time of `people`.
async fn try_at(people: &People, network: &str, password: &str, code: &str) -> Result<(), OfficerSignInError> {
    let place = SignInPlace { network: network.to_owned(), client: None };
    let code = Some(private(code));
    let sign_in = PasswordSignIn { username: "li.na".to_owned(), password: private(password), code, place };
    people.sessions().by_password(sign_in).await.map(drop)
}

/// Adds an officer with an app. Returns the app and a recovery code.
async fn with_app(desk: &PeopleDesk) -> (TotpSecret, Private<String>) {
    let new = NewOfficer {
        username: "li.na".parse().unwrap(),
        name: "李娜".to_owned(),
        agency: AgencyCode::new("housing"),
        role: Role::Officer,
        must_change_password: false,
    };
    let id: OfficerId = desk.people.officers().add(new, private(PASSWORD)).await.unwrap().id;
    let account = desk.people.own_account(id, SessionId::from_uuid(Uuid::nil()));
    let place = SignInPlace { network: "192.0.2.1/32".to_owned(), client: None };
    let proof = Proof { password: private(PASSWORD), code: None, place: &place };
    let secret = account.enrol(proof).await.unwrap().secret;
    let app = TotpSecret::of(BASE32_NOPAD.decode(secret.expose().as_bytes()).unwrap());
    let codes = account.confirm_enrolment(&Private::new(app.code(desk.start))).await.unwrap();
    (app, codes[0].clone())
}

#[tokio::test]
async fn with_a_second_factor_an_account_stays_open_everywhere_while_its_password_is_guessed() {
    let desk = PeopleDesk::open().await;
    let (app, _) = with_app(&desk).await;
    desk.count(
        "with set as (update officers set wrong_passwords = 1000, wrong_since = now() returning 1) select 1::bigint",
    )
    .await;
    let code = app.code(desk.start + TimeDelta::seconds(60));
    try_at(&desk.after(60), "203.0.113.9/32", PASSWORD, &code).await.unwrap();
    desk.close().await;
}

#[tokio::test]
async fn a_thief_of_a_password_cannot_guess_codes_from_many_networks() {
    let desk = PeopleDesk::open().await;
    let (app, recovery_code) = with_app(&desk).await;
    for guess in 0..20 {
        let tried = try_at(&desk.after(60), &format!("198.51.100.{guess}/32"), PASSWORD, "000000").await;
        assert!(matches!(tried, Err(OfficerSignInError::CodeWrong)), "{tried:?}");
    }
    let code = app.code(desk.start + TimeDelta::seconds(60));
    let right = try_at(&desk.after(60), "203.0.113.9/32", PASSWORD, &code).await;
    assert!(matches!(right, Err(OfficerSignInError::CodeWrong)), "no code of the app from an unknown network");
    try_at(&desk.after(60), "192.0.2.1/32", PASSWORD, &code).await.unwrap();
    try_at(&desk.after(60), "203.0.113.9/32", PASSWORD, recovery_code.expose()).await.unwrap();
    desk.close().await;
}
