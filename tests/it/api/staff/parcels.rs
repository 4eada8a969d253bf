//! The parcels of an agency: listed by case, and listed by state with the most urgent first.

use serde_json::{Value, json};
use songda::demo::fresh_phone;
use songda::demo::http::Caller;

use crate::support::answers::assert_problem;
use crate::support::desk::Desk;
use crate::support::items::{AGENCY, ITEM};
use crate::support::office::{Office, result};

/// Returns a reported grant that was decided at this time, and whose result goes by courier.
fn granted(item: &str, decided_at: &str) -> Value {
    let mut decision = result(&fresh_phone());
    decision["item_code"] = json!(item);
    decision["decided_at"] = json!(decided_at);
    decision
}

/// Returns the cases of the pending parcels that an officer sees, page by page.
async fn pending(officer: &Caller, limit: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut cursor = None::<String>;
    for _ in 0..5 {
        let call = officer.get("/staff/v1/parcels").query(&[("state", "pending"), ("limit", limit)]);
        let call = cursor.iter().fold(call, |call, cursor| call.query(&[("cursor", cursor)]));
        let page = call.success().await.unwrap();
        pages.push(page.rows().unwrap().iter().map(|row| row["case"].as_str().unwrap().to_owned()).collect());
        cursor = page.body["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return pages;
        }
    }
    panic!("no end: {pages:?}");
}

#[tokio::test]
async fn parcels_are_listed_by_case_and_by_the_date_by_which_they_must_arrive() {
    let mut desk = Desk::builder().without_worker().open().await;
    desk.leave_jobs();
    let decided = [
        granted(ITEM, "2026-03-06T15:30:00+08:00"),
        // The calendar does not contain the date by which this parcel must arrive.
        granted(ITEM, "2024-11-29T09:00:00+08:00"),
        granted(ITEM, "2026-03-02T09:00:00+08:00"),
        granted("JT-0067", "2026-03-03T09:00:00+08:00"),
    ];
    let verdicts = Office::register(&desk).await.hand_in(&decided).await;
    let cases: Vec<&str> = verdicts.iter().map(|verdict| verdict["case"].as_str().unwrap()).collect();
    let police = desk.officer(AGENCY).await.caller().clone();
    let approval = desk.officer("administrative-approval").await.caller().clone();

    let ordered = [vec![cases[2], cases[0]], vec![cases[1]]];
    assert_eq!(pending(&police, "2").await, ordered);
    assert_eq!(pending(&approval, "2").await, [[cases[3]]], "each agency sees its own");
    let returned = police.get("/staff/v1/parcels").query(&[("state", "returned")]).success().await.unwrap();
    assert!(returned.rows().unwrap().is_empty());

    let path = format!("/staff/v1/cases/{}/parcels", cases[2]);
    let of_case = police.get(&path).success().await.unwrap();
    let [parcel] = of_case.rows().unwrap() else { panic!("one parcel: {}", of_case.body) };
    assert_eq!((&parcel["case"], &parcel["serve_by"]), (&json!(cases[2]), &json!("2026-03-16")));
    let shown = format!("/staff/v1/parcels/{}", parcel["id"].as_str().unwrap());
    assert_eq!(police.get(&shown).success().await.unwrap().at("/scans").unwrap(), &json!([]));
    assert_problem(&approval.get(&path).answer().await.unwrap(), 404, "not_found");
    desk.close().await;
}
