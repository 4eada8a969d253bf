//! The history of a case: what it records, and that it cannot be changed.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::desk::Desk;
use crate::support::items::{AGENCY, ITEM, OTHER_AGENCY};

#[tokio::test]
async fn no_history_can_be_changed() {
    let desk = Desk::open().await;
    desk.journey(ITEM).submitted().await;
    let statements = [
        "update case_history set actor = 'system'",
        "delete from case_history",
        "truncate case_history",
        "truncate cases cascade",
    ];
    let refused = join_all(statements.map(|sql| sqlx::query(sql).execute(&desk.database)));
    for (sql, outcome) in statements.iter().zip(refused.await) {
        let error = outcome.expect_err(sql).to_string();
        assert!(error.contains("append-only"), "{sql}: {error}");
    }
    assert_eq!(desk.count("select count(*) from case_history").await, 1);
    desk.close().await;
}

#[tokio::test]
async fn every_act_is_recorded_with_who_acted_and_for_whom() {
    let desk = Desk::open().await;
    let case = desk.journey(ITEM).submitted().accepted().granted().await;
    let history = format!("{}/history", case.staff_path());
    let read = case.officer.caller().get(&history).success().await.unwrap();
    let text = |entry: &Value, member: &str| entry[member].as_str().unwrap().to_owned();
    let rows = read.rows().unwrap();
    let acts: Vec<String> = rows.iter().map(|entry| text(entry, "act")).collect();
    assert_eq!(acts, ["submitted", "accepted", "decided"]);

    assert_eq!(text(&rows[0], "by"), text(&rows[0], "for"), "the applicant acts for themselves");
    assert!(text(&rows[0], "for").starts_with("person:per_"), "{}", rows[0]);
    for act in &rows[1..] {
        assert!(text(act, "by").starts_with("officer:ofc_"), "{act}");
        assert_eq!(text(act, "for"), format!("agency:{AGENCY}"), "an officer acts in the office of their agency");
    }
    let kept = "select count(*) from case_history
                where (actor like 'person:%' and behalf = actor) or (actor like 'officer:%' and behalf like 'agency:%')";
    assert_eq!(desk.count(kept).await, 3);
    desk.close().await;
}

#[tokio::test]
async fn an_officer_who_reads_a_file_is_recorded() {
    let desk = Desk::open().await;
    let case = desk.journey(ITEM).submitted().await;
    let path = case.staff_path();
    let officer = desk.officer(AGENCY).await;
    let elsewhere = desk.officer(OTHER_AGENCY).await;
    desk.finish().await;
    let read = officer.caller().get(&path).success().await.unwrap();
    let upload = read.text("/application/materials/0/uploads/0").unwrap();
    let content = format!("{path}/uploads/{upload}");
    let history = async || officer.caller().get(&format!("{path}/history")).success().await.unwrap().body;

    assert_eq!(elsewhere.caller().get(&content).answer().await.unwrap().status.as_u16(), 404);
    let another = format!("{path}/uploads/upl_01KAQ8Y7G0E00800000000002A");
    assert_eq!(officer.caller().get(&another).answer().await.unwrap().status.as_u16(), 404);
    assert!(!history().await.to_string().contains("upload_read"), "no file was read yet");
    assert!(officer.caller().get(&content).success().await.unwrap().bytes.starts_with(b"%PDF"));
    let history = history().await;
    let last = history["data"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["act"], &last["cause"]), (&json!("upload_read"), &json!({"upload": upload})));
    assert!(last["by"].as_str().unwrap().starts_with("officer:ofc_"), "{last}");
    let timeline = case.resident.timeline(&case.id).await.unwrap();
    assert_eq!(timeline.len(), 1, "reading is not a step of the case: {timeline:?}");
    desk.close().await;
}
