//! What an applicant may do with drafts, uploads and cases, and what they may not.

use serde_json::{Value, json};
use songda::demo::form::Applicant;
use songda::demo::fresh_key;
use songda::demo::http::{Caller, Reply};
use songda::demo::resident::Resident;
use songda::domain::kernel::clock::fresh;
use songda::domain::kernel::ids::DraftId;

use crate::support::acts::refused;
use crate::support::desk::Desk;

/// An item on the phone; one that is handled online alone; one that is handled only at a window.
const ITEM: &str = "JT-0045";
const ONLINE_ITEM: &str = "JT-0043";
const WINDOW_ITEM: &str = "JT-0230";

fn electronic() -> Value {
    json!({"way": "electronic"})
}

fn begun(item: &str) -> Value {
    json!({"item_code": item, "form": {}, "materials": []})
}

fn fresh_draft() -> String {
    format!("/v1/drafts/{}", fresh(DraftId::from_uuid))
}

/// Somebody who signed in and did nothing else.
async fn stranger(desk: &Desk) -> Resident {
    let applicant =
        Applicant { name: "李晓红", resident_id: "320482200002290011", phone: "13800138000", home: "清风路2号" };
    Resident::by_wechat(&desk.api, &format!("wx-{}", fresh_key()), applicant).await.unwrap()
}

async fn submit(caller: &Caller, draft: &str, key: &str) -> Reply {
    caller.post("/v1/cases").once(key).json(&json!({"draft": draft})).answer().await.unwrap()
}

async fn upload(caller: &Caller, content: Vec<u8>) -> Reply {
    let part = reqwest::multipart::Part::bytes(content).file_name("scan.pdf").mime_str("application/pdf").unwrap();
    caller.post("/v1/uploads").file(part).answer().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_follows_its_owner_and_nobody_else() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    let (caller, path) = (resident.caller(), fresh_draft());

    let first = caller.put(&path).if_absent().json(&begun(ITEM)).success().await.unwrap();
    assert_eq!((first.status.as_u16(), first.etag()), (201, "\"1\""));
    assert!(!first.at("/faults").unwrap().as_array().unwrap().is_empty(), "it tells what is still wrong");
    let again = caller.put(&path).if_absent().json(&begun(ITEM)).answer().await.unwrap();
    assert_eq!(again.body, first.body, "an answer that was lost is given again");

    let mut changed = begun(ITEM);
    changed["delivery"] = electronic();
    refused(&caller.put(&path).json(&changed).answer().await.unwrap(), 428, "version_required");
    refused(&caller.put(&path).if_absent().json(&changed).answer().await.unwrap(), 412, "version_stale");
    let second = caller.put(&path).if_match(first.etag()).json(&changed).success().await.unwrap();
    assert_eq!((second.status.as_u16(), second.etag()), (200, "\"2\""));
    refused(&caller.put(&path).if_match(first.etag()).json(&changed).answer().await.unwrap(), 412, "version_stale");
    let read = caller.get(&path).success().await.unwrap();
    assert_eq!(read.at("/delivery/way").unwrap(), "electronic");

    let other = stranger(&desk).await;
    refused(&other.caller().get(&path).answer().await.unwrap(), 404, "not_found");
    refused(&other.caller().delete(&path).answer().await.unwrap(), 404, "not_found");
    let taken = other.caller().put(&path).if_absent().json(&begun(ITEM)).answer().await.unwrap();
    refused(&taken, 412, "version_stale");

    assert_eq!(caller.delete(&path).answer().await.unwrap().status.as_u16(), 204);
    refused(&caller.get(&path).answer().await.unwrap(), 404, "not_found");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_published_cannot_be_applied_for() {
    let desk = Desk::open().await;
    let other = stranger(&desk).await;
    let elsewhere = "item_not_on_the_phone";
    for (item, code) in [("XX-9999", "item_not_published"), (ONLINE_ITEM, elsewhere), (WINDOW_ITEM, elsewhere)] {
        let reply = other.caller().put(&fresh_draft()).if_absent().json(&begun(item)).answer().await.unwrap();
        refused(&reply, 422, code);
    }

    // The list is asked again at the end: a draft may be older than the item's place on it.
    let (resident, _) = desk.resident().await;
    let draft = resident.draft(ITEM, &electronic()).await.unwrap();
    let moved = sqlx::query("update drafts set item_code = $1, item_version = 1").bind(ONLINE_ITEM);
    moved.execute(&desk.database).await.unwrap();
    refused(&submit(resident.caller(), &draft, &fresh_key()).await, 422, elsewhere);

    let kept: Vec<(String, String)> = sqlx::query_as("select item_code, reason from refused_applications order by id")
        .fetch_all(&desk.database)
        .await
        .unwrap();
    let row = |item: &str, reason: &str| (item.to_owned(), reason.to_owned());
    let not_here = |item: &str| row(item, "not_on_the_phone");
    let all = [row("XX-9999", "not_published"), not_here(ONLINE_ITEM), not_here(WINDOW_ITEM), not_here(ONLINE_ITEM)];
    assert_eq!(kept, all);
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_what_its_content_says_and_its_owners_alone() {
    let desk = Desk::open_with(&[("SONGDA_UPLOAD_LIMIT", "1000")]).await;
    let resident = stranger(&desk).await;
    let pdf = b"%PDF-1.4\n%%EOF\n".to_vec();

    let made = upload(resident.caller(), pdf.clone()).await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.body);
    assert_eq!(made.at("/content_type").unwrap(), "application/pdf");
    assert_eq!(made.at("/size").unwrap(), pdf.len());
    let path = made.header("location").to_owned();
    let content = resident.caller().get(&format!("{path}/content")).success().await.unwrap();
    assert_eq!((content.bytes.as_ref(), content.header("content-type")), (&pdf[..], "application/pdf"));

    refused(&upload(resident.caller(), b"<script>alert(1)</script>".to_vec()).await, 415, "unsupported_media_type");
    refused(&upload(resident.caller(), Vec::new()).await, 422, "invalid_body");
    let long = [b"%PDF-1.4\n".to_vec(), vec![b' '; 1000]].concat();
    refused(&upload(resident.caller(), long).await, 413, "body_too_large");

    let other = stranger(&desk).await;
    refused(&other.caller().get(&path).answer().await.unwrap(), 404, "not_found");
    refused(&other.caller().get(&format!("{path}/content")).answer().await.unwrap(), 404, "not_found");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_becomes_one_case_however_often_it_is_submitted() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    let caller = resident.caller();
    let draft = resident.draft(ITEM, &electronic()).await.unwrap();

    let keys: Vec<String> = (0..8).map(|_| fresh_key()).collect();
    let attempts = keys.iter().map(|key| submit(caller, &draft, key));
    let replies = futures_util::future::join_all(attempts).await;
    let (made, others): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status.as_u16() == 201);
    assert_eq!(made.len(), 1, "exactly one makes the case");
    for other in others {
        refused(other, 409, "draft_submitted");
    }
    assert_eq!(made[0].at("/state").unwrap(), "submitted");
    assert!(made[0].at("/due_on").unwrap().is_string());
    let count: i64 = sqlx::query_scalar("select count(*) from cases").fetch_one(&desk.database).await.unwrap();
    assert_eq!(count, 1);

    let path = format!("/v1/drafts/{draft}");
    let read = caller.get(&path).success().await.unwrap();
    assert_eq!(read.at("/submitted_as").unwrap(), made[0].at("/id").unwrap());
    let save = caller.put(&path).if_match(read.etag()).json(&begun(ITEM)).answer().await.unwrap();
    refused(&save, 409, "draft_submitted");
    assert!(caller.get("/v1/drafts").success().await.unwrap().rows().unwrap().is_empty());
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_whose_answer_was_lost_is_answered_again() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    let (caller, key) = (resident.caller(), fresh_key());
    let [draft, another] = [resident.draft(ITEM, &electronic()).await, resident.draft(ITEM, &electronic()).await];
    let (draft, another) = (draft.unwrap(), another.unwrap());
    let first = submit(caller, &draft, &key).await;
    let again = submit(caller, &draft, &key).await;
    assert_eq!((first.status.as_u16(), first.header("idempotent-replayed")), (201, ""));
    assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (201, "true"));
    assert_eq!(
        (&again.body, again.etag(), again.header("location")),
        (&first.body, first.etag(), first.header("location"))
    );
    refused(&submit(caller, &another, &key).await, 422, "idempotency_key_reused");
    let case = submit(caller, &another, &fresh_key()).await;
    assert_eq!(case.status.as_u16(), 201, "a key of its own: {}", case.body);
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_same_submission_at_once_all_get_the_answer_of_one() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    let (caller, key) = (resident.caller(), fresh_key());
    let draft = resident.draft(ITEM, &electronic()).await.unwrap();
    let replies = futures_util::future::join_all((0..8).map(|_| submit(caller, &draft, &key))).await;
    for reply in &replies {
        assert_eq!((reply.status.as_u16(), &reply.body), (201, &replies[0].body));
    }
    let first = replies.iter().filter(|reply| reply.header("idempotent-replayed").is_empty());
    assert_eq!(first.count(), 1, "one made the case");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_submissions_at_once_under_one_key_one_is_taken() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    let (caller, key) = (resident.caller(), fresh_key());
    let [draft, another] = [resident.draft(ITEM, &electronic()).await, resident.draft(ITEM, &electronic()).await];
    let (draft, another) = (draft.unwrap(), another.unwrap());
    let (one, other) = tokio::join!(submit(caller, &draft, &key), submit(caller, &another, &key));
    let (taken, not_taken) = if one.status.as_u16() == 201 { (one, other) } else { (other, one) };
    assert_eq!(taken.status.as_u16(), 201, "{}", taken.body);
    refused(&not_taken, 422, "idempotency_key_reused");
    let count: i64 = sqlx::query_scalar("select count(*) from cases").fetch_one(&desk.database).await.unwrap();
    assert_eq!(count, 1);
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_is_refused_with_every_fault_at_once() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    let caller = resident.caller();
    let begin = async |caller: &Caller| {
        caller.put(&fresh_draft()).if_absent().json(&begun(ITEM)).success().await.unwrap().text("/id").unwrap()
    };
    let reply = submit(caller, &begin(caller).await, &fresh_key()).await;
    refused(&reply, 422, "invalid_body");
    let faults = reply.at("/errors").unwrap().as_array().unwrap();
    let pointers: Vec<&str> = faults.iter().filter_map(|fault| fault["pointer"].as_str()).collect();
    for place in ["/form/", "/materials", "/delivery"] {
        assert!(pointers.iter().any(|pointer| pointer.starts_with(place)), "{place} in {pointers:?}");
    }

    let nameless = stranger(&desk).await;
    let draft = begin(nameless.caller()).await;
    refused(&submit(nameless.caller(), &draft, &fresh_key()).await, 403, "identity_not_verified");
    refused(&submit(caller, &draft, &fresh_key()).await, 404, "not_found");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_applies_in_another_persons_name() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    let caller = resident.caller();
    let path = format!("/v1/drafts/{}", resident.draft(ITEM, &electronic()).await.unwrap());
    let read = caller.get(&path).success().await.unwrap();
    let mut draft = json!({"item_code": ITEM});
    for member in ["form", "materials", "delivery"] {
        draft[member] = read.at(&format!("/{member}")).unwrap().clone();
    }
    draft["form"]["applicant"]["name"] = json!("李晓红");
    draft["form"]["applicant"]["resident_id"] = json!("320482200002290011");
    draft["form"]["agent"] = json!({"through_agent": false});
    let saved = caller.put(&path).if_match(read.etag()).json(&draft).success().await.unwrap();
    let places = [
        json!({"pointer": "/form/applicant/name", "code": "not_the_verified_person"}),
        json!({"pointer": "/form/applicant/resident_id", "code": "not_the_verified_person"}),
    ];
    let told = |faults: &Value| -> Vec<Value> {
        let fault = |fault: &Value| json!({"pointer": fault["pointer"], "code": fault["code"]});
        faults.as_array().unwrap().iter().map(fault).collect()
    };
    assert_eq!(told(saved.at("/faults").unwrap()), places, "the draft says it beforehand");
    let id = saved.text("/id").unwrap();
    let reply = submit(caller, &id, &fresh_key()).await;
    refused(&reply, 422, "invalid_body");
    assert_eq!(told(reply.at("/errors").unwrap()), places);

    // Through an agent: the form says so, and names the one who is signed in.
    let me = (resident.applicant.name, resident.applicant.resident_id, resident.applicant.phone);
    draft["form"]["agent"] = json!({"through_agent": true, "name": me.0, "resident_id": me.1, "phone": me.2});
    caller.put(&path).if_match(saved.etag()).json(&draft).success().await.unwrap();
    assert_eq!(submit(caller, &id, &fresh_key()).await.status.as_u16(), 201);
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supplement_is_answered_once_and_a_case_withdrawn_once() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    let caller = resident.caller();
    let draft = resident.draft(ITEM, &electronic()).await.unwrap();
    let case = resident.submit(&draft).await.unwrap().id;
    let (path, staff) = (format!("/v1/cases/{case}"), format!("/staff/v1/cases/{case}"));

    let answer = json!({"note": "已补交"});
    let early = caller.post(&format!("{path}/supplement")).json(&answer).answer().await.unwrap();
    refused(&early, 409, "case_wrong_state");
    let officer = desk.officer("public-security").await;
    let read = officer.caller().get(&staff).success().await.unwrap();
    let notice = json!({"points": ["缺少居住证明"]});
    let given = officer.caller().post(&format!("{staff}/supplement-notice")).if_match(read.etag()).json(&notice);
    given.success().await.unwrap();
    assert!(caller.get(&path).success().await.unwrap().at("/due_on").is_err(), "the clock stops");

    let empty = caller.post(&format!("{path}/supplement")).json(&json!({})).answer().await.unwrap();
    refused(&empty, 422, "invalid_body");
    let answered = caller.post(&format!("{path}/supplement")).json(&answer).success().await.unwrap();
    assert_eq!(answered.at("/state").unwrap(), "submitted");
    assert!(answered.at("/supplement/answered_at").unwrap().is_string());
    let twice = caller.post(&format!("{path}/supplement")).json(&answer).answer().await.unwrap();
    refused(&twice, 409, "case_wrong_state");

    let reason = json!({"reason": "不办了"});
    let other = stranger(&desk).await;
    let stolen = other.caller().post(&format!("{path}/withdrawal")).json(&reason).answer().await.unwrap();
    refused(&stolen, 404, "not_found");
    let withdrawn = caller.post(&format!("{path}/withdrawal")).json(&reason).success().await.unwrap();
    assert_eq!(withdrawn.at("/state").unwrap(), "withdrawn");
    let again = caller.post(&format!("{path}/withdrawal")).json(&reason).answer().await.unwrap();
    refused(&again, 409, "case_wrong_state");
    desk.close().await;
}
