//! Something is missing from an application: the officer says what, and the resident hands it in.

use serde_json::{Value, json};

use crate::support::acts::{act, history, notice};
use crate::support::answers::assert_problem;
use crate::support::desk::Desk;
use crate::support::items::{AGENCY, ITEM};

#[tokio::test(flavor = "multi_thread")]
async fn a_supplement_is_answered_once_and_a_case_is_withdrawn_once() {
    let desk = Desk::open().await;
    let case = desk.journey(ITEM).submitted().await;
    let caller = case.resident.caller();
    let path = case.path();

    let answer = json!({"note": "已补交"});
    let early = caller.post(&format!("{path}/supplement")).json(&answer).answer().await.unwrap();
    assert_problem(&early, 409, "case_wrong_state");
    let officer = desk.officer(AGENCY).await;
    let read = officer.caller().get(&case.staff_path()).success().await.unwrap();
    let given = officer.caller().post(&format!("{}/supplement-notice", case.staff_path()));
    given.if_match(read.etag()).json(&notice()).success().await.unwrap();
    assert!(caller.get(&path).success().await.unwrap().at("/due_on").is_err(), "the legal clock stops");

    let empty = caller.post(&format!("{path}/supplement")).json(&json!({})).answer().await.unwrap();
    assert_problem(&empty, 422, "invalid_body");
    let answered = caller.post(&format!("{path}/supplement")).json(&answer).success().await.unwrap();
    assert_eq!(answered.at("/state").unwrap(), "submitted");
    assert!(answered.at("/supplement/answered_at").unwrap().is_string());
    let twice = caller.post(&format!("{path}/supplement")).json(&answer).answer().await.unwrap();
    assert_problem(&twice, 409, "case_wrong_state");

    let reason = json!({"reason": "不办了"});
    let other = desk.stranger().await;
    let stolen = other.caller().post(&format!("{path}/withdrawal")).json(&reason).answer().await.unwrap();
    assert_problem(&stolen, 404, "not_found");
    let withdrawn = caller.post(&format!("{path}/withdrawal")).json(&reason).success().await.unwrap();
    assert_eq!(withdrawn.at("/state").unwrap(), "withdrawn");
    let again = caller.post(&format!("{path}/withdrawal")).json(&reason).answer().await.unwrap();
    assert_problem(&again, 409, "case_wrong_state");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_names_the_actor_the_act_and_the_cause() {
    let desk = Desk::open().await;
    let case = desk.journey(ITEM).submitted().await;
    let officer = desk.officer(AGENCY).await;
    let noticed = act(officer.caller(), &case.id, "supplement-notice", &notice()).await;
    let answer_by = noticed.at("/supplement/answer_by").unwrap().clone();
    let path = case.path();
    let caller = case.resident.caller();
    let shown = caller.get(&path).success().await.unwrap();
    assert_eq!(
        shown.at("/supplement/answer_by").unwrap(),
        &answer_by,
        "the applicant sees the deadline for the answer"
    );
    let answer = json!({"note": "已补交", "materials": []});
    caller.post(&format!("{path}/supplement")).json(&answer).success().await.unwrap();
    let accepted = act(officer.caller(), &case.id, "acceptance", &json!({})).await;
    let reason = json!({"reason": "不办了"});
    caller.post(&format!("{path}/withdrawal")).json(&reason).success().await.unwrap();

    let entries = history(officer.caller(), &case.id).await;
    let acts: Vec<(&str, &str)> = entries.iter().map(|(actor, act, _)| (actor.as_str(), act.as_str())).collect();
    let expected = [
        ("person", "submitted"),
        ("officer", "supplement_noticed"),
        ("person", "supplement_answered"),
        ("officer", "accepted"),
        ("person", "withdrawn"),
    ];
    assert_eq!(acts, expected);
    let causes: Vec<&Value> = entries.iter().map(|(_, _, cause)| cause).collect();
    assert_eq!(causes[0]["item"], ITEM);
    assert_eq!(causes[1], &json!({"points": ["缺少居住证明"], "answer_by": answer_by}));
    assert_eq!(causes[2], &json!({"note": true, "form": false, "materials": []}));
    assert_eq!(causes[3]["promised_on"], accepted.body["promised_on"]);
    assert_eq!(causes[3]["accepted_on"], accepted.body["accepted_on"]);
    assert_eq!(causes[4], &reason);

    let read = officer.caller().get(&case.staff_path()).success().await.unwrap();
    assert_eq!(read.at("/withdrawal/reason").unwrap(), "不办了");
    let timeline = case.resident.timeline(&case.id).await.unwrap();
    let reasons = |kind: &str| timeline.iter().find(|step| step["kind"] == kind).unwrap()["reasons"].clone();
    assert_eq!((reasons("supplement_noticed"), reasons("withdrawn")), (json!(["缺少居住证明"]), json!(["不办了"])));
    desk.close().await;
}
