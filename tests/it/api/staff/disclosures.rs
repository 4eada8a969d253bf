//! Personal numbers are masked for officers. To read one in full, an officer must give a reason, which is recorded.

use serde_json::json;
use songda::demo::fresh_key;
use songda::demo::http::Reply;
use songda::domain::people::identity::{masked_phone, masked_resident_id};

use crate::support::answers::assert_problem;
use crate::support::desk::Desk;
use crate::support::items::{AGENCY, ITEM, OTHER_AGENCY};
use crate::support::wait::wait_until;

fn shows(reply: &Reply, number: &str) -> bool {
    reply.body.to_string().contains(number)
}

/// Returns the part of an ETag that `If-Match` compares.
fn version(reply: &Reply) -> &str {
    reply.etag().trim_matches('"').split('.').next().unwrap()
}

#[tokio::test]
async fn an_officer_who_sees_a_number_in_full_is_recorded_with_the_reason() {
    let desk = Desk::open().await;
    let case = desk.journey(ITEM).submitted().await;
    let path = case.staff_path();
    let disclosures = format!("{path}/disclosures");
    let resident_id = case.resident.applicant.resident_id;
    let phone = case.resident.phone();
    let officer = desk.officer(AGENCY).await;
    let reason = json!({"reason": "核对身份证件"});

    let read = officer.caller().get(&path).success().await.unwrap();
    assert!(shows(&read, &masked_resident_id(resident_id)) && shows(&read, &masked_phone(phone)), "{}", read.body);
    assert!(!shows(&read, resident_id) && !shows(&read, phone), "{}", read.body);

    let elsewhere = desk.officer(OTHER_AGENCY).await;
    let refused = elsewhere.caller().post(&disclosures).json(&reason).answer().await.unwrap();
    assert_eq!(refused.status.as_u16(), 404, "a case of another agency: {}", refused.body);
    let silent = officer.caller().post(&disclosures).json(&json!({"reason": " "})).answer().await.unwrap();
    assert_eq!(silent.status.as_u16(), 422, "{}", silent.body);
    let history = format!("{path}/history");
    let before = officer.caller().get(&history).success().await.unwrap();
    assert!(!shows(&before, "disclosed"), "no number was shown yet: {}", before.body);

    let full = officer.caller().post(&disclosures).json(&reason).success().await.unwrap();
    assert!(shows(&full, resident_id) && shows(&full, phone), "{}", full.body);
    assert_eq!(version(&full), version(&read), "a disclosure does not change the case");
    let after = officer.caller().get(&history).success().await.unwrap();
    assert!(shows(&after, "disclosed") && shows(&after, "核对身份证件"), "{}", after.body);
    let timeline = case.resident.timeline(&case.id).await.unwrap();
    let shown = timeline.iter().any(|step| step["what"] == "disclosed" || step.to_string().contains("查看"));
    assert!(shown, "{timeline:?}");
    desk.close().await;
}

#[tokio::test]
async fn a_repeated_disclosure_is_authorised_and_recorded_again() {
    let desk = Desk::open().await;
    let case = desk.journey(ITEM).submitted().await;
    let resident_id = case.resident.applicant.resident_id;
    let officer = desk.officer(AGENCY).await;
    let disclosures = format!("{}/disclosures", case.staff_path());
    let key = fresh_key();
    let disclose = async || {
        let reason = json!({"reason": "核对身份证件"});
        officer.caller().post(&disclosures).once(&key).json(&reason).answer().await.unwrap()
    };
    for _ in 0..3 {
        let reply = disclose().await;
        assert!(reply.status.is_success() && shows(&reply, resident_id), "{}", reply.body);
    }
    let looks = "select count(*) from case_history where act = 'disclosed'";
    assert_eq!(desk.count(looks).await, 3);

    desk.execute("update officers set agency = 'human-resources'").await;
    // An officer's account is looked up at most once a second.
    wait_until("the officer has moved", async || {
        officer.caller().get(&case.staff_path()).answer().await.unwrap().status == 404
    })
    .await;
    let refused = disclose().await;
    assert_problem(&refused, 404, "not_found");
    assert!(!shows(&refused, resident_id), "{}", refused.body);
    assert_eq!(desk.count(looks).await, 3);
    desk.close().await;
}
