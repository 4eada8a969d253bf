use futures_util::future::join_all;
use songda::casework::people::refresh::RefreshError;
use songda::domain::kernel::text::Language;
use songda::domain::people::session::RefreshToken;

use crate::support::people_desk::{PeopleDesk, private};

#[tokio::test]
async fn a_lost_answer_is_given_again_for_half_a_minute() {
    let desk = PeopleDesk::open().await;
    let first = desk.somebody("anna").await;
    let second = desk.after(60).refresh_person(&first.refresh_token).await.unwrap();
    assert_ne!(second.refresh_token, first.refresh_token);
    let again = desk.after(90).refresh_person(&first.refresh_token).await.unwrap();
    assert_eq!(again.refresh_token, second.refresh_token);
    let third = desk.after(91).refresh_person(&again.refresh_token).await.unwrap();
    assert_eq!(third.who.id, first.who.id);
    desk.close().await;
}

#[tokio::test]
async fn an_old_token_ends_the_whole_session() {
    let desk = PeopleDesk::open().await;
    let first = desk.somebody("anna").await;
    let elsewhere = desk.somebody("anna").await;
    let second = desk.people.refresh_person(&first.refresh_token).await.unwrap();
    let copied = desk.after(31).refresh_person(&first.refresh_token).await;
    assert!(matches!(copied, Err(RefreshError::Copied)), "{copied:?}");
    let honest = desk.after(32).refresh_person(&second.refresh_token).await;
    assert!(matches!(honest, Err(RefreshError::Invalid)), "{honest:?}");
    assert!(desk.after(33).refresh_person(&elsewhere.refresh_token).await.is_ok(), "another sign-in is not concerned");
    desk.close().await;
}

#[tokio::test]
async fn a_used_token_comes_back_only_while_its_successor_waits() {
    let desk = PeopleDesk::open().await;
    let first = desk.somebody("anna").await;
    let second = desk.after(60).refresh_person(&first.refresh_token).await.unwrap();
    let third = desk.after(61).refresh_person(&second.refresh_token).await.unwrap();
    // Whoever used the second got its answer, so nobody honest needs the first any more.
    let thief = desk.after(62).refresh_person(&first.refresh_token).await;
    assert!(matches!(thief, Err(RefreshError::Copied)), "{thief:?}");
    let walks_on = desk.after(63).refresh_person(&third.refresh_token).await;
    assert!(matches!(walks_on, Err(RefreshError::Invalid)), "the whole session ended: {walks_on:?}");
    desk.close().await;
}

#[tokio::test]
async fn nothing_is_kept_from_which_a_token_could_be_made() {
    let desk = PeopleDesk::open().await;
    let first = desk.somebody("anna").await;
    let second = desk.after(60).refresh_person(&first.refresh_token).await.unwrap();
    assert_eq!(desk.count("select count(*) from refresh_tokens").await, 2);
    assert_eq!(desk.count("select count(*) from refresh_tokens where successor_sealed is not null").await, 0);
    let stored = desk.count("select count(*) from refresh_tokens where length(token_hash) = 32").await;
    assert_eq!(stored, 2, "hashes alone");
    assert_eq!(second.refresh_token.expose().len(), first.refresh_token.expose().len());
    desk.close().await;
}

#[tokio::test]
async fn two_who_refresh_at_once_get_the_same_token() {
    let desk = PeopleDesk::open().await;
    let first = desk.somebody("anna").await;
    let all = join_all((0..12).map(|_| desk.people.refresh_person(&first.refresh_token))).await;
    let successors: Vec<RefreshToken> = all.into_iter().map(|answer| answer.unwrap().refresh_token).collect();
    assert!(successors.iter().all(|token| *token == successors[0]));
    assert_eq!(desk.count("select count(*) from refresh_tokens").await, 2);
    desk.close().await;
}

#[tokio::test]
async fn signing_out_counts_at_once() {
    let desk = PeopleDesk::open().await;
    let (here, there) = (desk.somebody("anna").await, desk.somebody("anna").await);
    let other = desk.somebody("bert").await;
    let claims = desk.people.tokens.verify(
        here.access_token.expose(),
        &[songda::auth::tokens::TokenAudience::Mobile],
        desk.start,
    );
    desk.people.sign_out(claims.unwrap().grant.sid.unwrap()).await.unwrap();
    assert!(desk.people.refresh_person(&here.refresh_token).await.is_err());
    assert!(desk.people.refresh_person(&there.refresh_token).await.is_ok());
    desk.people.sign_out_everywhere(there.who.id.uuid()).await.unwrap();
    assert!(desk.people.refresh_person(&there.refresh_token).await.is_err());
    assert!(desk.people.refresh_person(&other.refresh_token).await.is_ok());
    desk.close().await;
}

#[tokio::test]
async fn a_session_ends_by_itself_and_audiences_do_not_mix() {
    const DAY: i64 = 24 * 3600;
    let desk = PeopleDesk::open().await;
    let first = desk.somebody("anna").await;
    assert!(matches!(desk.people.refresh_officer(&first.refresh_token).await, Err(RefreshError::Invalid)));
    assert!(matches!(desk.after(90 * DAY).refresh_person(&first.refresh_token).await, Err(RefreshError::Invalid)));
    assert_eq!(desk.forget_old_after(119 * DAY).await, 0);
    assert_eq!(desk.forget_old_after(121 * DAY).await, 1);
    assert_eq!(desk.count("select count(*) from refresh_tokens").await, 0);
    desk.close().await;
}

#[tokio::test]
async fn many_first_sign_ins_make_one_person() {
    let desk = PeopleDesk::open().await;
    let code = private("anna");
    let all = join_all((0..8).map(|_| desk.people.sign_in_wechat(&code, Language::English))).await;
    let ids: Vec<_> = all.into_iter().map(|answer| answer.unwrap().who.id).collect();
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(desk.count("select count(*) from people").await, 1);
    assert_eq!(desk.people.me(ids[0]).await.unwrap().unwrap().language, Language::English);
    desk.close().await;
}
