//! What officers do with the cases of their agency, what nobody else's officers may, and what of it stays for ever.

use futures_util::future::join_all;
use serde_json::{Value, json};
use songda::demo::fresh_key;
use songda::demo::http::Reply;
use songda::demo::mishap::Played;
use songda::demo::officer::DeskOfficer;
use songda::demo::resident::{Resident, Submitted};

use crate::support::acts::{act, faults, refused};
use crate::support::desk::{Desk, PASSWORD};

const POLICE: &str = "public-security";
const ITEM: &str = "JT-0045";

fn grant() -> Value {
    json!({"outcome": "grant", "reasons": "材料齐全", "result": {"title": "居住证"}})
}

fn deny() -> Value {
    json!({"outcome": "deny", "reasons": "居住不满半年"})
}

async fn apply(resident: &Resident, delivery: &Value) -> Submitted {
    let draft = resident.draft(ITEM, delivery).await.unwrap();
    resident.submit(&draft).await.unwrap()
}

fn electronic() -> Value {
    json!({"way": "electronic"})
}

/// What a history says: who, as a class, did what, and why.
async fn history(officer: &DeskOfficer, case: &str) -> Vec<(String, String, Value)> {
    let read = officer.caller().get(&format!("/staff/v1/cases/{case}/history")).success().await.unwrap();
    let text = |entry: &Value, member: &str| entry[member].as_str().unwrap().to_owned();
    let class = |entry: &Value| text(entry, "actor").split(':').next().unwrap().to_owned();
    read.rows().unwrap().iter().map(|entry| (class(entry), text(entry, "act"), entry["cause"].clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_officers_who_decide_at_the_same_time_one_decides() {
    let desk = Desk::open().await;
    let add = ["staff", "add", "second.officer", "--name", "另一位", "--agency", POLICE, "--role", "officer"];
    desk.songda(&add).await;
    let one = desk.officer(POLICE).await;
    let other = DeskOfficer::sign_in(&desk.api, "second.officer", PASSWORD).await.unwrap();
    let (resident, _) = desk.resident().await;

    for (first, second) in [(grant(), grant()), (grant(), deny()), (deny(), grant()), (deny(), deny())] {
        let case = apply(&resident, &electronic()).await.id;
        one.accept(&case).await.unwrap();
        let path = format!("/staff/v1/cases/{case}");
        let etag = one.caller().get(&path).success().await.unwrap().etag().to_owned();
        let decide = async |officer: &DeskOfficer, ruling: &Value| -> Played<Reply> {
            let call = officer.caller().post(&format!("{path}/decision")).if_match(&etag).once(&fresh_key());
            call.json(ruling).answer().await
        };
        let replies = tokio::join!(decide(&one, &first), decide(&other, &second));
        let replies = [replies.0.unwrap(), replies.1.unwrap()];
        let (made, late): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status.as_u16() == 200);
        assert_eq!((made.len(), late.len()), (1, 1), "{replies:?}");
        refused(late[0], 412, "version_stale");
        let read = one.caller().get(&path).success().await.unwrap();
        assert_eq!(read.at("/decision").unwrap(), made[0].at("/decision").unwrap(), "who was answered 200 decided");
        let decided = history(&one, &case).await.iter().filter(|(_, act, _)| act == "decided").count();
        let told = resident.inbox(&case).await.unwrap();
        assert_eq!((decided, told.len()), (1, 2), "accepted and decided, once each: {told:?}");
    }
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn officers_see_and_touch_the_cases_of_their_agency_alone() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    let submitted = apply(&resident, &electronic()).await;
    let own = desk.officer(POLICE).await;
    let strange = desk.officer("human-resources").await;
    let path = format!("/staff/v1/cases/{}", submitted.id);
    let read = own.caller().get(&path).success().await.unwrap();
    let upload = read.at("/application/materials/0/uploads/0").unwrap().as_str().unwrap().to_owned();
    own.caller().get(&format!("{path}/uploads/{upload}")).success().await.unwrap();

    assert!(own.sees(&submitted.id).await.unwrap() && !strange.sees(&submitted.id).await.unwrap());
    let numbered = async |officer: &DeskOfficer| {
        let call = officer.caller().get("/staff/v1/cases").query(&[("number", &submitted.number)]);
        call.success().await.unwrap().rows().unwrap().len()
    };
    assert_eq!((numbered(&own).await, numbered(&strange).await), (1, 0));
    for part in ["", "/history", &format!("/uploads/{upload}")] {
        let reply = strange.caller().get(&format!("{path}{part}")).answer().await.unwrap();
        refused(&reply, 404, "not_found");
    }
    let notice = json!({"points": ["照片"]});
    for (part, body) in [("acceptance", json!({})), ("supplement-notice", notice), ("decision", grant())] {
        let call = strange.caller().post(&format!("{path}/{part}")).if_match(read.etag()).once(&fresh_key());
        refused(&call.json(&body).answer().await.unwrap(), 404, "not_found");
    }
    let after = own.caller().get(&path).success().await.unwrap();
    assert_eq!(after.etag(), read.etag(), "nothing happened to it");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_says_why_and_the_applicant_reads_it() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    let address = resident.add_address().await.unwrap();
    let case = apply(&resident, &json!({"way": "courier", "address": address})).await.id;
    let officer = desk.officer(POLICE).await;
    officer.accept(&case).await.unwrap();

    let silent = json!({"outcome": "deny", "reasons": " ", "result": {"title": " "}});
    let reply = act(officer.caller(), &case, "decision", &silent).await;
    refused(&reply, 422, "invalid_body");
    let expected = [("/reasons", "required"), ("/result/title", "wrong_format"), ("/result", "not_allowed")];
    assert_eq!(faults(&reply), expected, "all at once");

    let denied = act(officer.caller(), &case, "decision", &deny()).await;
    assert_eq!((denied.status.as_u16(), denied.at("/state").unwrap()), (200, &json!("denied")), "{}", denied.body);
    let read = resident.caller().get(&format!("/v1/cases/{case}")).success().await.unwrap();
    assert_eq!(read.at("/decision/reasons").unwrap(), "居住不满半年");
    assert_eq!(resident.inbox(&case).await.unwrap().last().unwrap(), "denied");
    let timeline = resident.timeline(&case).await.unwrap();
    let step = timeline.iter().find(|step| step["kind"] == "decided").unwrap();
    assert_eq!(step["reasons"], json!(["居住不满半年"]));
    let parcels = resident.caller().get(&format!("/v1/cases/{case}/parcels")).success().await.unwrap();
    assert!(parcels.rows().unwrap().is_empty(), "a denial sends nothing");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_fetched_at_a_counter_sends_no_parcel() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    let nowhere = resident.draft(ITEM, &json!({"way": "counter", "hall": "nowhere"})).await.unwrap();
    let submit = resident.caller().post("/v1/cases").once(&fresh_key()).json(&json!({"draft": nowhere}));
    let reply = submit.answer().await.unwrap();
    refused(&reply, 422, "invalid_body");
    assert_eq!(faults(&reply), [("/delivery/hall", "unknown")]);

    let case = apply(&resident, &json!({"way": "counter", "hall": "jintan"})).await.id;
    let officer = desk.officer(POLICE).await;
    officer.accept(&case).await.unwrap();
    let granted = act(officer.caller(), &case, "decision", &grant()).await;
    assert_eq!(granted.at("/delivery").unwrap(), &json!({"way": "counter", "hall": "jintan"}), "{}", granted.body);
    assert_eq!(resident.inbox(&case).await.unwrap(), ["accepted", "granted"]);
    let parcels: i64 = sqlx::query_scalar("select count(*) from parcels").fetch_one(&desk.database).await.unwrap();
    assert_eq!(parcels, 0);
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_found_by_its_number_and_a_slip_is_noticed() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    let submitted = apply(&resident, &electronic()).await;
    let officer = desk.officer(POLICE).await;
    officer.accept(&submitted.id).await.unwrap();
    officer.grant(&submitted.id, &json!({"title": "居住证"})).await.unwrap();
    let find = async |number: &str| {
        officer.caller().get("/staff/v1/cases").query(&[("number", number)]).answer().await.unwrap()
    };
    let found = find(&submitted.number.to_lowercase()).await;
    assert_eq!(found.at("/data/0/id").unwrap(), submitted.id.as_str(), "decided, and found all the same");
    let at = submitted.number.len() - 2;
    let digit = if &submitted.number[at..=at] == "7" { "8" } else { "7" };
    let slip = format!("{}{digit}{}", &submitted.number[..at], &submitted.number[at + 1..]);
    let reply = find(&slip).await;
    refused(&reply, 400, "invalid_parameter");
    assert!(reply.text("/detail").unwrap().contains("校验位"), "{}", reply.body);
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_says_who_did_what_and_why() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    let case = apply(&resident, &electronic()).await.id;
    let officer = desk.officer(POLICE).await;
    let noticed = act(officer.caller(), &case, "supplement-notice", &json!({"points": ["缺少居住证明"]})).await;
    let answer_by = noticed.at("/supplement/answer_by").unwrap().clone();
    let path = format!("/v1/cases/{case}");
    let shown = resident.caller().get(&path).success().await.unwrap();
    assert_eq!(shown.at("/supplement/answer_by").unwrap(), &answer_by, "the applicant sees by when to answer");
    let answer = json!({"note": "已补交", "materials": []});
    resident.caller().post(&format!("{path}/supplement")).json(&answer).success().await.unwrap();
    let accepted = act(officer.caller(), &case, "acceptance", &json!({})).await;
    let reason = json!({"reason": "不办了"});
    resident.caller().post(&format!("{path}/withdrawal")).json(&reason).success().await.unwrap();

    let entries = history(&officer, &case).await;
    let acts: Vec<(&str, &str)> = entries.iter().map(|(who, act, _)| (who.as_str(), act.as_str())).collect();
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

    let read = officer.caller().get(&format!("/staff/v1/cases/{case}")).success().await.unwrap();
    assert_eq!(read.at("/withdrawal/reason").unwrap(), "不办了");
    let timeline = resident.timeline(&case).await.unwrap();
    let reasons = |kind: &str| timeline.iter().find(|step| step["kind"] == kind).unwrap()["reasons"].clone();
    assert_eq!((reasons("supplement_noticed"), reasons("withdrawn")), (json!(["缺少居住证明"]), json!(["不办了"])));
    desk.close().await;
}

#[tokio::test]
async fn no_history_can_be_changed() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    apply(&resident, &electronic()).await;
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
    let kept: i64 = sqlx::query_scalar("select count(*) from case_history").fetch_one(&desk.database).await.unwrap();
    assert_eq!(kept, 1);
    desk.close().await;
}
