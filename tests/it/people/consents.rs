use futures_util::future::join_all;
use songda::casework::people::report_consents::{ConsentStanding, ReportError};
use songda::domain::consent::ConsentAnswer;
use songda::domain::ids::PersonId;
use songda::domain::notification::ChannelCode;

use super::desk::PeopleDesk;

async fn report(desk: &PeopleDesk, person: PersonId, answers: &[(&str, ConsentAnswer)]) -> Vec<ConsentStanding> {
    let answers: Vec<_> = answers.iter().map(|(template, answer)| ((*template).to_owned(), *answer)).collect();
    desk.people.report_consents(person, &ChannelCode::new("wechat"), &answers).await.unwrap()
}

fn balances(standing: &[ConsentStanding]) -> Vec<(u32, bool, bool)> {
    let of = |one: &ConsentStanding| (one.balance.balance, one.balance.lasting, one.balance.should_ask(&one.template));
    standing.iter().map(of).collect()
}

#[tokio::test]
async fn accepts_add_up_and_a_refusal_clears() {
    use ConsentAnswer::{Accept, Reject};
    let desk = PeopleDesk::open().await;
    let anna = desk.somebody("anna").await.who.id;
    let bert = desk.somebody("bert").await.who.id;
    assert_eq!(balances(&desk.people.list_consents(anna).await.unwrap()), [(0, false, true), (0, false, true)]);
    let standing = report(&desk, anna, &[("RESULT", Accept), ("NEWS", Accept)]).await;
    assert_eq!(balances(&standing), [(1, false, true), (0, true, false)]);
    let standing = report(&desk, anna, &[("RESULT", Accept)]).await;
    assert_eq!(balances(&standing), [(2, false, false), (0, true, false)]);
    let standing = report(&desk, anna, &[("RESULT", Reject), ("NEWS", Reject)]).await;
    assert_eq!(balances(&standing), [(0, false, true), (0, false, true)]);
    assert!(standing[0].balance.refused_at.is_some());
    assert_eq!(balances(&desk.people.list_consents(bert).await.unwrap()), [(0, false, true), (0, false, true)]);
    desk.close().await;
}

#[tokio::test]
async fn no_accept_is_lost_among_many_at_once() {
    let desk = PeopleDesk::open().await;
    let anna = desk.somebody("anna").await.who.id;
    let answers = [("NEWS", ConsentAnswer::Filter), ("RESULT", ConsentAnswer::Accept)];
    join_all((0..12).map(|_| report(&desk, anna, &answers))).await;
    assert_eq!(desk.people.list_consents(anna).await.unwrap()[0].balance.balance, 12);
    desk.close().await;
}

#[tokio::test]
async fn a_report_with_an_unknown_template_books_nothing() {
    let desk = PeopleDesk::open().await;
    let anna = desk.somebody("anna").await.who.id;
    let answers = ["ELSE", "RESULT", "OTHER"].map(|template| (template.to_owned(), ConsentAnswer::Accept));
    let refused = desk.people.report_consents(anna, &ChannelCode::new("wechat"), &answers).await;
    assert!(matches!(refused, Err(ReportError::UnknownTemplates(ids)) if ids == ["ELSE", "OTHER"]));
    assert_eq!(desk.people.list_consents(anna).await.unwrap()[0].balance.balance, 0);
    desk.close().await;
}
