//! The cases of an agency: who sees them, how they are found, and in which order they are listed.

use serde_json::json;
use songda::demo::fresh_key;
use songda::demo::officer::DeskOfficer;

use crate::support::acts::{act, grant, notice};
use crate::support::answers::assert_problem;
use crate::support::days::Days;
use crate::support::desk::Desk;
use crate::support::items::{AGENCY, ITEM, OTHER_AGENCY};

#[tokio::test(flavor = "multi_thread")]
async fn officers_see_and_change_cases_of_their_own_agency_only() {
    let desk = Desk::open().await;
    let case = desk.journey(ITEM).submitted().await;
    let own = desk.officer(AGENCY).await;
    let other = desk.officer(OTHER_AGENCY).await;
    let path = case.staff_path();
    let read = own.caller().get(&path).success().await.unwrap();
    let upload = read.at("/application/materials/0/uploads/0").unwrap().as_str().unwrap().to_owned();
    desk.finish().await;
    own.caller().get(&format!("{path}/uploads/{upload}")).success().await.unwrap();

    assert!(own.sees(&case.id).await.unwrap() && !other.sees(&case.id).await.unwrap());
    let found = async |officer: &DeskOfficer| {
        let call = officer.caller().get("/staff/v1/cases").query(&[("number", &case.number)]);
        call.success().await.unwrap().rows().unwrap().len()
    };
    assert_eq!((found(&own).await, found(&other).await), (1, 0));
    for part in ["", "/history", &format!("/uploads/{upload}")] {
        let reply = other.caller().get(&format!("{path}{part}")).answer().await.unwrap();
        assert_problem(&reply, 404, "not_found");
    }
    for (part, body) in [("acceptance", json!({})), ("supplement-notice", notice()), ("decision", grant())] {
        let call = other.caller().post(&format!("{path}/{part}")).if_match(read.etag()).once(&fresh_key());
        assert_problem(&call.json(&body).answer().await.unwrap(), 404, "not_found");
    }
    let after = own.caller().get(&path).success().await.unwrap();
    assert_eq!(after.etag(), read.etag(), "the case is unchanged");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_found_by_its_number_and_a_mistyped_number_is_refused() {
    let desk = Desk::open().await;
    let granted = desk.journey(ITEM).submitted().accepted().granted().await;
    let find = async |number: &str| {
        granted.officer.caller().get("/staff/v1/cases").query(&[("number", number)]).answer().await.unwrap()
    };
    let found = find(&granted.number.to_lowercase()).await;
    assert_eq!(found.at("/data/0/id").unwrap(), granted.id.as_str(), "a decided case is found as well");
    let at = granted.number.len() - 2;
    let digit = if &granted.number[at..=at] == "7" { "8" } else { "7" };
    let mistyped = format!("{}{digit}{}", &granted.number[..at], &granted.number[at + 1..]);
    let reply = find(&mistyped).await;
    assert_problem(&reply, 400, "invalid_parameter");
    assert!(reply.text("/detail").unwrap().contains("校验位"), "{}", reply.body);
    desk.close().await;
}

#[tokio::test]
async fn the_queue_is_ordered_by_due_date_across_its_pages() {
    let time = Days::begin("2026-03-02T10:00:00+08:00").await;
    let mut submitted = Vec::new();
    for day in ["2026-03-04", "2026-03-02", "2026-03-06", "2026-03-03", "2026-03-05"] {
        time.go_to(&format!("{day}T10:00:00+08:00"));
        submitted.push((day, time.submit(ITEM).await));
    }
    time.go_to("2026-03-06T11:00:00+08:00");
    let officer = time.officer(AGENCY).await;
    // A case that waits for its applicant comes last, and an accepted one is due later than before.
    act(&officer, &submitted[1].1, "supplement-notice", &notice()).await;
    act(&officer, &submitted[3].1, "acceptance", &json!({})).await;

    let mut read = Vec::new();
    let mut cursor = None::<String>;
    for _ in 0..5 {
        let call = officer.get("/staff/v1/cases").query(&[("limit", "2")]);
        let call = cursor.iter().fold(call, |call, cursor| call.query(&[("cursor", cursor)]));
        let page = call.success().await.unwrap();
        read.extend(page.rows().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        cursor = page.body["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    let ordered = [0, 4, 2, 3, 1].map(|at: usize| submitted[at].1.clone());
    assert_eq!(read, ordered, "{submitted:?}");

    let waiting = officer.get("/staff/v1/cases").query(&[("state", "supplement_noticed")]).success().await.unwrap();
    assert_eq!(waiting.rows().unwrap().len(), 1);
    time.desk.close().await;
}
