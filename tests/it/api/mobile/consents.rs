//! Consents to WeChat messages: how they are counted, and the templates for which a client asks for consent.

use futures_util::future::join_all;
use songda::casework::frame::idempotency::Answer;
use songda::casework::people::consents::{ConsentStanding, ReportError};
use songda::domain::kernel::ids::PersonId;
use songda::domain::kernel::text::Language;
use songda::domain::notice::consent::ConsentAnswer;
use songda::domain::notice::notification::ChannelCode;

use crate::support::people_desk::{PeopleDesk, templates};

async fn report(desk: &PeopleDesk, person: PersonId, answers: &[(&str, ConsentAnswer)]) -> Vec<ConsentStanding> {
    try_report(desk, person, answers).await.unwrap()
}

async fn try_report(
    desk: &PeopleDesk,
    person: PersonId,
    answers: &[(&str, ConsentAnswer)],
) -> Result<Vec<ConsentStanding>, ReportError> {
    let answers: Vec<_> = answers.iter().map(|(template, answer)| ((*template).to_owned(), *answer)).collect();
    let mut answered = Vec::new();
    let answer = |standing: &[ConsentStanding]| {
        answered = standing.to_vec();
        Answer { form: serde_json::Value::Null, body: serde_json::Value::Null }
    };
    desk.people.consents().report(person, &ChannelCode::new("wechat"), &answers, None, answer).await?;
    Ok(answered)
}

fn balances(standing: &[ConsentStanding]) -> Vec<(u32, bool, bool)> {
    let of = |one: &ConsentStanding| (one.balance.balance, one.balance.lasting, one.balance.should_ask(&one.template));
    standing.iter().map(of).collect()
}

#[tokio::test]
async fn consents_add_up_and_a_refusal_clears_them() {
    use ConsentAnswer::{Accept, Reject};
    let desk = PeopleDesk::open().await;
    let anna = desk.sign_in("anna").await.who.id;
    let bert = desk.sign_in("bert").await.who.id;
    assert_eq!(balances(&desk.people.consents().list(anna).await.unwrap()), [(0, false, true), (0, false, true)]);
    let standing = report(&desk, anna, &[("RESULT", Accept), ("NEWS", Accept)]).await;
    assert_eq!(balances(&standing), [(1, false, true), (0, true, false)]);
    let standing = report(&desk, anna, &[("RESULT", Accept)]).await;
    assert_eq!(balances(&standing), [(2, false, false), (0, true, false)]);
    let standing = report(&desk, anna, &[("RESULT", Reject), ("NEWS", Reject)]).await;
    assert_eq!(balances(&standing), [(0, false, true), (0, false, true)]);
    assert!(standing[0].balance.refused_at.is_some());
    assert_eq!(balances(&desk.people.consents().list(bert).await.unwrap()), [(0, false, true), (0, false, true)]);
    desk.close().await;
}

#[tokio::test]
async fn no_consent_is_lost_among_concurrent_reports() {
    let desk = PeopleDesk::open().await;
    let anna = desk.sign_in("anna").await.who.id;
    let answers = [("NEWS", ConsentAnswer::Filter), ("RESULT", ConsentAnswer::Accept)];
    join_all((0..12).map(|_| report(&desk, anna, &answers))).await;
    assert_eq!(desk.people.consents().list(anna).await.unwrap()[0].balance.balance, 12);
    desk.close().await;
}

#[tokio::test]
async fn a_report_with_an_unknown_template_is_refused_as_a_whole() {
    let desk = PeopleDesk::open().await;
    let anna = desk.sign_in("anna").await.who.id;
    let answers = ["ELSE", "RESULT", "OTHER"].map(|template| (template, ConsentAnswer::Accept));
    let refused = try_report(&desk, anna, &answers).await;
    assert!(matches!(refused, Err(ReportError::UnknownTemplates(ids)) if ids == ["ELSE", "OTHER"]));
    assert_eq!(desk.people.consents().list(anna).await.unwrap()[0].balance.balance, 0);
    desk.close().await;
}

fn ids(standing: &[ConsentStanding]) -> Vec<&str> {
    standing.iter().map(|one| one.template.template.as_str()).collect()
}

#[tokio::test]
async fn a_newly_published_template_replaces_its_predecessor() {
    let desk = PeopleDesk::open().await;
    let anna = desk.sign_in("anna").await.who.id;
    report(&desk, anna, &[("RESULT", ConsentAnswer::Accept)]).await;
    desk.people.catalog.replace(templates(2, "RESULT-2"));
    assert_eq!(ids(&desk.people.consents().list(anna).await.unwrap()), ["RESULT-2", "NEWS"]);
    let standing = report(&desk, anna, &[("RESULT-2", ConsentAnswer::Accept)]).await;
    assert_eq!((ids(&standing), standing[0].balance.balance), (vec!["RESULT-2", "NEWS"], 1));
    let withdrawn = try_report(&desk, anna, &[("RESULT", ConsentAnswer::Accept)]).await;
    assert!(matches!(withdrawn, Err(ReportError::UnknownTemplates(_))), "it is no longer used for messages");
    desk.close().await;
}

#[tokio::test]
async fn people_are_asked_for_the_templates_of_their_language_only() {
    let desk = PeopleDesk::open().await;
    let anna = desk.sign_in("anna").await.who.id;
    assert_eq!(ids(&desk.people.consents().list(anna).await.unwrap()), ["RESULT", "NEWS"]);
    desk.people.identity().set_language(anna, Language::English).await.unwrap();
    let standing = desk.people.consents().list(anna).await.unwrap();
    assert_eq!(
        (ids(&standing), standing[0].template.events.len()),
        (vec!["ENGLISH"], 2),
        "one row with all its events"
    );
    let late = try_report(&desk, anna, &[("RESULT", ConsentAnswer::Accept)]).await;
    assert!(late.is_ok(), "the client asked before the language was changed: {late:?}");
    desk.close().await;
}
