//! Deciding cases.

use serde_json::{Value, json};
use songda::demo::fresh_key;
use songda::demo::http::Reply;
use songda::demo::mishap::Played;
use songda::demo::officer::Officer;

use crate::support::acts::{act, deny, grant, history, submit};
use crate::support::answers::{assert_problem, faults};
use crate::support::desk::Desk;
use crate::support::items::{AGENCY, ITEM};
use crate::support::people::{PASSWORD, add_staff};

#[tokio::test(flavor = "multi_thread")]
async fn two_officers_who_decide_one_case_at_once_make_one_decision() {
    let desk = Desk::open().await;
    desk.songda(&add_staff("second.officer", AGENCY, "officer")).await;
    let one = desk.officer(AGENCY).await;
    let other = Officer::sign_in(&desk.api, "second.officer", PASSWORD).await.unwrap();
    let resident = desk.resident().await;

    for (first, second) in [(grant(), grant()), (grant(), deny()), (deny(), grant()), (deny(), deny())] {
        let case = desk.journey(ITEM).by(&resident).submitted().await;
        one.accept(&case.id).await.unwrap();
        let path = case.staff_path();
        let etag = one.caller().get(&path).success().await.unwrap().etag().to_owned();
        let decide = async |officer: &Officer, ruling: &Value| -> Played<Reply> {
            let call = officer.caller().post(&format!("{path}/decision")).if_match(&etag).once(&fresh_key());
            call.json(ruling).answer().await
        };
        let replies = tokio::join!(decide(&one, &first), decide(&other, &second));
        let replies = [replies.0.unwrap(), replies.1.unwrap()];
        let (made, late): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status.as_u16() == 200);
        assert_eq!((made.len(), late.len()), (1, 1), "{replies:?}");
        assert_problem(late[0], 412, "version_stale");
        let read = one.caller().get(&path).success().await.unwrap();
        assert_eq!(read.at("/decision").unwrap(), made[0].at("/decision").unwrap(), "the answer 200 is the decision");
        let decided = history(one.caller(), &case.id).await.iter().filter(|(_, act, _)| act == "decided").count();
        let inbox = resident.inbox(&case.id).await.unwrap();
        assert_eq!((decided, inbox.len()), (1, 2), "accepted and decided, once each: {inbox:?}");
    }
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_needs_reasons_and_the_applicant_reads_them() {
    let desk = Desk::open().await;
    let accepted = desk.journey(ITEM).by_courier().submitted().accepted().await;
    let officer = accepted.officer.caller();
    let resident = &accepted.resident;

    let silent = json!({"outcome": "deny", "reasons": " ", "result": {"title": " "}});
    let reply = act(officer, &accepted.id, "decision", &silent).await;
    assert_problem(&reply, 422, "invalid_body");
    let expected = [("/reasons", "required"), ("/result/title", "wrong_format"), ("/result", "not_allowed")];
    assert_eq!(faults(&reply), expected, "all at once");

    let denied = act(officer, &accepted.id, "decision", &deny()).await;
    assert_eq!((denied.status.as_u16(), denied.at("/state").unwrap()), (200, &json!("denied")), "{}", denied.body);
    let read = resident.caller().get(&accepted.path()).success().await.unwrap();
    assert_eq!(read.at("/decision/reasons").unwrap(), "居住不满半年");
    assert_eq!(resident.inbox(&accepted.id).await.unwrap().last().unwrap(), "denied");
    let timeline = resident.timeline(&accepted.id).await.unwrap();
    let step = timeline.iter().find(|step| step["kind"] == "decided").unwrap();
    assert_eq!(step["reasons"], json!(["居住不满半年"]));
    let parcels = resident.caller().get(&format!("{}/parcels", accepted.path())).success().await.unwrap();
    assert!(parcels.rows().unwrap().is_empty(), "a denial sends no parcel");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_is_picked_up_at_a_counter_sends_no_parcel() {
    let desk = Desk::open().await;
    let nowhere = desk.journey(ITEM).at_counter("nowhere").await;
    let reply = submit(nowhere.resident.caller(), &nowhere.id, &fresh_key()).await;
    assert_problem(&reply, 422, "invalid_body");
    assert_eq!(faults(&reply), [("/delivery/hall", "unknown")]);

    let accepted = desk.journey(ITEM).by(&nowhere.resident).at_counter("jintan").submitted().accepted().await;
    let granted = act(accepted.officer.caller(), &accepted.id, "decision", &grant()).await;
    assert_eq!(granted.at("/delivery").unwrap(), &json!({"way": "counter", "hall": "jintan"}), "{}", granted.body);
    assert_eq!(accepted.resident.inbox(&accepted.id).await.unwrap(), ["accepted", "granted"]);
    assert_eq!(desk.count("select count(*) from parcels").await, 0);
    desk.close().await;
}
