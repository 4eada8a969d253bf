//! The legal deadlines, as the API reports them while the test moves its clock on by days. The working days are those
//! that the government has announced for 2026.

use serde_json::{Value, json};

use crate::support::acts::{act, grant, notice, submit};
use crate::support::answers::assert_problem;
use crate::support::days::Days;
use crate::support::items::{AGENCY, ITEM};
use crate::support::journey::{courier, electronic};
use crate::support::people::add_staff;

/// Returns four dates of a case: the due date of the agency's next act, the acceptance, the promised deadline, and the
/// legal deadline. For [`ITEM`], the promised deadline is 7 working days after the acceptance. The legal one is 15
/// calendar days after it, or on the next working day if that is a day off.
fn days(case: &Value) -> [Option<&str>; 4] {
    ["due_on", "accepted_on", "promised_on", "legal_on"].map(|day| case[day].as_str())
}

#[tokio::test]
async fn five_working_days_without_an_answer_count_as_acceptance_on_the_day_of_receipt() {
    let time = Days::begin("2026-09-18T10:00:00+08:00").await;
    let case = time.submit(ITEM).await;
    time.go_to("2026-09-28T10:00:00+08:00");
    let officer = time.officer(AGENCY).await;
    let read = officer.get(&format!("/staff/v1/cases/{case}")).success().await.unwrap();
    assert_eq!(days(&read.body), [Some("2026-09-24"), None, None, None], "Sunday 09-20 is a working day");

    let late = act(&officer, &case, "supplement-notice", &notice()).await;
    assert_problem(&late, 409, "supplement_notice_too_late");
    let accepted = act(&officer, &case, "acceptance", &json!({})).await;
    let owed = [Some("2026-09-29"), Some("2026-09-18"), Some("2026-09-29"), Some("2026-10-08")];
    assert_eq!(days(&accepted.body), owed, "10-03 is a day off: {}", accepted.body);

    time.go_to("2026-09-30T10:00:00+08:00");
    let officer = time.officer(AGENCY).await;
    let decided = act(&officer, &case, "decision", &grant()).await;
    assert_eq!(days(&decided.body), [None, owed[1], owed[2], owed[3]], "nothing is due, and no day is lost");
    assert_eq!(decided.at("/decision/missed").unwrap(), "promise");
    let shown = time.resident().await.caller().get(&format!("/v1/cases/{case}")).success().await.unwrap();
    assert_eq!(shown.body, decided.body, "the applicant sees the same");
    time.desk.close().await;
}

#[tokio::test]
async fn after_a_supplement_notice_the_case_is_accepted_as_of_the_day_of_the_answer() {
    let time = Days::begin("2026-09-18T10:00:00+08:00").await;
    let case = time.submit(ITEM).await;
    time.go_to("2026-09-24T23:59:00+08:00");
    let noticed = act(&time.officer(AGENCY).await, &case, "supplement-notice", &notice()).await;
    assert_eq!(noticed.at("/state").unwrap(), "supplement_noticed", "the last day is in time: {}", noticed.body);

    time.go_to("2026-10-09T10:00:00+08:00");
    let resident = time.resident().await;
    let answer = resident.caller().post(&format!("/v1/cases/{case}/supplement")).json(&json!({"note": "已补交"}));
    let answered = answer.success().await.unwrap();
    assert_eq!(days(&answered.body), [Some("2026-10-15"), None, None, None], "Saturday 10-10 is a working day");

    time.go_to("2026-10-14T10:00:00+08:00");
    let accepted = act(&time.officer(AGENCY).await, &case, "acceptance", &json!({})).await;
    let owed = [Some("2026-10-19"), Some("2026-10-09"), Some("2026-10-19"), Some("2026-10-26")];
    assert_eq!(days(&accepted.body), owed, "10-24 is a day off: {}", accepted.body);
    time.desk.close().await;
}

#[tokio::test]
async fn a_case_promised_within_the_known_year_is_accepted_though_the_legal_deadline_is_in_the_next() {
    let time = Days::begin("2026-11-25T10:00:00+08:00").await;
    let items = [
        ("JT-0048", AGENCY, "2026-12-23"),
        ("JT-0033", "towns", "2026-12-23"),
        ("JT-0073", "natural-resources", "2026-11-26"),
    ];
    for (item, agency, promised_on) in items {
        let case = time.submit(item).await;
        if agency != AGENCY {
            time.desk.songda(&add_staff(&format!("officer.{agency}"), agency, "officer")).await;
        }
        let accepted = act(&time.officer(agency).await, &case, "acceptance", &json!({})).await;
        let promised_on = Some(promised_on);
        assert_eq!(days(&accepted.body), [promised_on, Some("2026-11-25"), promised_on, None], "{item}");
    }
    time.desk.close().await;
}

#[tokio::test]
async fn a_grant_by_courier_near_the_end_of_the_year_does_not_wait_for_the_next_calendar() {
    let time = Days::begin("2026-12-14T10:00:00+08:00").await;
    let resident = time.resident().await;
    let address = resident.add_address().await.unwrap();
    let draft = resident.draft(ITEM, &courier(&address)).await.unwrap();
    let case = resident.submit(&draft).await.unwrap().id;
    let officer = time.officer(AGENCY).await;
    assert_eq!(act(&officer, &case, "acceptance", &json!({})).await.at("/state").unwrap(), "accepted");

    // The result must be delivered within ten working days of the decision. From this day they end in 2027.
    time.go_to("2026-12-18T10:00:00+08:00");
    let officer = time.officer(AGENCY).await;
    let decided = act(&officer, &case, "decision", &grant()).await;
    assert_eq!((decided.status.as_u16(), decided.at("/state").unwrap().as_str()), (200, Some("granted")));
    let shown = officer.get(&format!("/staff/v1/cases/{case}/parcels")).success().await.unwrap();
    let [parcel] = shown.rows().unwrap() else { panic!("one parcel: {}", shown.body) };
    assert_eq!((parcel["state"].as_str(), parcel.get("serve_by")), (Some("pending"), None));
    time.desk.close().await;
}

#[tokio::test]
async fn an_act_due_in_a_year_without_a_calendar_is_answered_503() {
    let time = Days::begin("2026-12-10T10:00:00+08:00").await;
    let case = time.submit("JT-0048").await;
    let accepted = act(&time.officer(AGENCY).await, &case, "acceptance", &json!({})).await;
    assert_problem(&accepted, 503, "calendar_unknown");
    assert!(!accepted.header("retry-after").is_empty() && accepted.at("/detail").unwrap().to_string().contains("2027"));

    time.go_to("2026-12-28T10:00:00+08:00");
    let resident = time.resident().await;
    let draft = resident.draft(ITEM, &electronic()).await.unwrap();
    let submitted = submit(resident.caller(), &draft, &songda::demo::fresh_key()).await;
    assert_problem(&submitted, 503, "calendar_unknown");
    time.desk.close().await;
}
