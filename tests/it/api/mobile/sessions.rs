//! Sessions: refresh tokens, and signing out.

use futures_util::future::join_all;
use serde_json::json;
use songda::casework::people::sessions::refresh::RefreshError;
use songda::demo::fresh_key;
use songda::demo::http::Reply;
use songda::domain::kernel::text::Language;
use songda::domain::people::session::RefreshToken;

use crate::support::answers::assert_problem;
use crate::support::desk::Desk;
use crate::support::people_desk::{PeopleDesk, private};
use crate::support::wait::wait_until;

#[tokio::test]
async fn a_refresh_token_can_be_used_again_for_half_a_minute() {
    let desk = PeopleDesk::open().await;
    let first = desk.sign_in("anna").await;
    let second = desk.after(60).sessions().refresh(&first.refresh_token).await.unwrap();
    assert_ne!(second.refresh_token, first.refresh_token);
    let again = desk.after(90).sessions().refresh(&first.refresh_token).await.unwrap();
    assert_eq!(again.refresh_token, second.refresh_token);
    let third = desk.after(91).sessions().refresh(&again.refresh_token).await.unwrap();
    assert_eq!(third.who.id, first.who.id);
    desk.close().await;
}

#[tokio::test]
async fn a_refresh_token_used_again_later_ends_the_session() {
    let desk = PeopleDesk::open().await;
    let first = desk.sign_in("anna").await;
    let elsewhere = desk.sign_in("anna").await;
    let second = desk.people.sessions().refresh(&first.refresh_token).await.unwrap();
    let copied = desk.after(31).sessions().refresh(&first.refresh_token).await;
    assert!(matches!(copied, Err(RefreshError::Copied)), "{copied:?}");
    let honest = desk.after(32).sessions().refresh(&second.refresh_token).await;
    assert!(matches!(honest, Err(RefreshError::Invalid)), "{honest:?}");
    assert!(desk.after(33).sessions().refresh(&elsewhere.refresh_token).await.is_ok(), "another session goes on");
    desk.close().await;
}

#[tokio::test]
async fn a_refresh_token_used_again_after_its_successor_ends_the_session() {
    let desk = PeopleDesk::open().await;
    let first = desk.sign_in("anna").await;
    let second = desk.after(60).sessions().refresh(&first.refresh_token).await.unwrap();
    let third = desk.after(61).sessions().refresh(&second.refresh_token).await.unwrap();
    // The second token was used, so the honest client has received it, and does not need the first token any more.
    let thief = desk.after(62).sessions().refresh(&first.refresh_token).await;
    assert!(matches!(thief, Err(RefreshError::Copied)), "{thief:?}");
    let honest = desk.after(63).sessions().refresh(&third.refresh_token).await;
    assert!(matches!(honest, Err(RefreshError::Invalid)), "the session ended: {honest:?}");
    desk.close().await;
}

#[tokio::test]
async fn only_hashes_of_refresh_tokens_are_stored() {
    let desk = PeopleDesk::open().await;
    let first = desk.sign_in("anna").await;
    let second = desk.after(60).sessions().refresh(&first.refresh_token).await.unwrap();
    assert_eq!(desk.count("select count(*) from refresh_tokens").await, 2);
    let other = "select count(*) from information_schema.columns
        where table_name = 'refresh_tokens' and data_type in ('bytea', 'text') and column_name <> 'token_hash'";
    assert_eq!(desk.count(other).await, 0, "no other column could hold a token");
    let stored = desk.count("select count(*) from refresh_tokens where length(token_hash) = 32").await;
    assert_eq!(stored, 2, "hashes");
    assert_eq!(second.refresh_token.expose().len(), first.refresh_token.expose().len());
    desk.close().await;
}

#[tokio::test]
async fn concurrent_refreshes_get_the_same_token() {
    let desk = PeopleDesk::open().await;
    let first = desk.sign_in("anna").await;
    let all = join_all((0..12).map(|_| desk.people.sessions().refresh(&first.refresh_token))).await;
    let successors: Vec<RefreshToken> = all.into_iter().map(|answer| answer.unwrap().refresh_token).collect();
    assert!(successors.iter().all(|token| *token == successors[0]));
    assert_eq!(desk.count("select count(*) from refresh_tokens").await, 2);
    desk.close().await;
}

#[tokio::test]
async fn signing_out_ends_one_session_and_signing_out_everywhere_all() {
    let desk = PeopleDesk::open().await;
    let here = desk.sign_in("anna").await;
    let there = desk.sign_in("anna").await;
    let other = desk.sign_in("bert").await;
    let claims = desk.people.tokens.verify(
        here.access_token.expose(),
        &[songda::auth::tokens::TokenAudience::Mobile],
        desk.start,
    );
    desk.people.sessions().end(claims.unwrap().grant.sid.unwrap()).await.unwrap();
    assert!(desk.people.sessions().refresh(&here.refresh_token).await.is_err());
    assert!(desk.people.sessions().refresh(&there.refresh_token).await.is_ok());
    desk.people.sessions().end_all(there.who.id.uuid()).await.unwrap();
    assert!(desk.people.sessions().refresh(&there.refresh_token).await.is_err());
    assert!(desk.people.sessions().refresh(&other.refresh_token).await.is_ok());
    desk.close().await;
}

#[tokio::test]
async fn a_session_expires_and_is_not_valid_for_another_audience() {
    const DAY: i64 = 24 * 3600;
    let desk = PeopleDesk::open().await;
    let first = desk.sign_in("anna").await;
    assert!(matches!(desk.people.sessions().refresh_officer(&first.refresh_token).await, Err(RefreshError::Invalid)));
    assert!(matches!(desk.after(90 * DAY).sessions().refresh(&first.refresh_token).await, Err(RefreshError::Invalid)));
    assert_eq!(desk.forget_old_after(119 * DAY).await, 0);
    assert_eq!(desk.forget_old_after(121 * DAY).await, 1);
    assert_eq!(desk.count("select count(*) from refresh_tokens").await, 0);
    desk.close().await;
}

#[tokio::test]
async fn concurrent_first_sign_ins_create_one_person() {
    let desk = PeopleDesk::open().await;
    let code = private("anna");
    let all = join_all((0..8).map(|_| desk.people.sessions().by_wechat(&code, Language::English))).await;
    let ids: Vec<_> = all.into_iter().map(|answer| answer.unwrap().who.id).collect();
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(desk.count("select count(*) from people").await, 1);
    assert_eq!(desk.people.identity().find(ids[0]).await.unwrap().unwrap().language, Language::English);
    desk.close().await;
}

#[tokio::test]
async fn a_session_on_another_device_goes_on_until_the_resident_signs_out_everywhere() {
    let desk = Desk::builder().without_worker().open().await;
    let name = fresh_key();
    let sign_in = async |on: &str| {
        let code = json!({"code": format!("wx-{name}.{on}")});
        desk.api.post("/v1/sessions/wechat").json(&code).success().await.unwrap()
    };
    let refresh = async |session: &Reply| {
        let token = json!({"refresh_token": session.text("/refresh_token").unwrap()});
        desk.api.post("/v1/sessions/refresh").json(&token).answer().await.unwrap()
    };
    let sign_out = async |session: &Reply, path: &str| {
        let caller = desk.api.with_token(session.text("/access_token").unwrap());
        caller.delete(path).success().await.unwrap();
    };
    let phone = sign_in("phone").await;
    let tablet = sign_in("tablet").await;
    let watch = sign_in("watch").await;

    sign_out(&phone, "/v1/sessions/current").await;
    assert_problem(&refresh(&phone).await, 401, "refresh_token_invalid");
    let tablet = refresh(&tablet).await;
    assert_eq!(tablet.status.as_u16(), 200, "{}", tablet.body);

    sign_out(&tablet, "/v1/sessions").await;
    for session in [&tablet, &watch] {
        assert_problem(&refresh(session).await, 401, "refresh_token_invalid");
    }
    desk.close().await;
}

#[tokio::test]
async fn after_a_sign_out_every_process_soon_refuses_the_access_token() {
    let desk = Desk::builder().without_worker().open().await;
    let other = desk.server().await;
    let name = fresh_key();
    let sign_in = async |on: &str| {
        let code = json!({"code": format!("wx-{name}.{on}")});
        let session = desk.api.post("/v1/sessions/wechat").json(&code).success().await.unwrap();
        desk.api.with_token(session.text("/access_token").unwrap())
    };
    let here = sign_in("phone").await;
    let tablet = sign_in("tablet").await;
    let there = other.api.with_token(here.token().unwrap());
    assert!(there.get("/v1/me").answer().await.unwrap().status.is_success());
    here.delete("/v1/sessions/current").success().await.unwrap();
    for caller in [&here, &there] {
        wait_until("the token is refused", async || caller.get("/v1/me").answer().await.unwrap().status == 401).await;
    }
    tablet.get("/v1/me").success().await.unwrap();
    drop(other);
    desk.close().await;
}
