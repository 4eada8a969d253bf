//! Submitting cases.

use futures_util::future::join_all;
use serde_json::{Value, json};
use songda::demo::fresh_key;
use songda::demo::http::Caller;

use crate::support::acts::{begun, fresh_draft, submit};
use crate::support::answers::{assert_problem, replayed};
use crate::support::desk::Desk;
use crate::support::items::ITEM;
use crate::support::journey::electronic;

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_submitted_several_times_at_once_opens_one_case() {
    let desk = Desk::open().await;
    let draft = desk.journey(ITEM).await;
    let caller = draft.resident.caller();

    let keys: Vec<String> = (0..8).map(|_| fresh_key()).collect();
    let replies = join_all(keys.iter().map(|key| submit(caller, &draft.id, key))).await;
    let (made, others): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status.as_u16() == 201);
    assert_eq!(made.len(), 1, "exactly one request opens the case");
    for other in others {
        assert_problem(other, 409, "draft_submitted");
    }
    assert_eq!(made[0].at("/state").unwrap(), "submitted");
    assert!(made[0].at("/due_on").unwrap().is_string());
    assert_eq!(desk.count("select count(*) from cases").await, 1);

    let path = format!("/v1/drafts/{}", draft.id);
    let read = caller.get(&path).success().await.unwrap();
    assert_eq!(read.at("/submitted_as").unwrap(), made[0].at("/id").unwrap());
    let save = caller.put(&path).if_match(read.etag()).json(&begun(ITEM)).answer().await.unwrap();
    assert_problem(&save, 409, "draft_submitted");
    assert!(caller.get("/v1/drafts").success().await.unwrap().rows().unwrap().is_empty());
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_submission_does_not_affect_those_that_are_written_with_it() {
    let desk = Desk::open().await;
    let drafts = join_all((0..12).map(async |_| desk.journey(ITEM).await)).await;
    let taken = &drafts[0];
    let key = fresh_key();
    assert_eq!(submit(taken.resident.caller(), &taken.id, &key).await.status.as_u16(), 201);
    let beside = desk.journey(ITEM).by(&taken.resident).await;

    let accepted = drafts[1..].iter().map(|draft| (draft, fresh_key(), 201));
    let all = accepted.chain([(taken, fresh_key(), 409), (&beside, key, 422)]);
    join_all(all.map(async |(draft, key, status)| {
        let reply = submit(draft.resident.caller(), &draft.id, &key).await;
        assert_eq!(reply.status.as_u16(), status, "{}", reply.body);
        let again = submit(draft.resident.caller(), &draft.id, &key).await;
        assert_eq!((again.status.as_u16(), &again.body["id"]), (status, &reply.body["id"]));
    }))
    .await;
    assert_eq!(desk.count("select count(*) from cases").await, 12);
    let numbers = "select count(distinct number) from cases";
    assert_eq!(desk.count(numbers).await, 12);
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_submission_gets_the_first_answer_and_another_draft_under_its_key_is_refused() {
    let desk = Desk::open().await;
    let draft = desk.journey(ITEM).await;
    let another = desk.journey(ITEM).by(&draft.resident).await;
    let caller = draft.resident.caller();
    let key = fresh_key();
    let first = submit(caller, &draft.id, &key).await;
    let again = submit(caller, &draft.id, &key).await;
    assert_eq!((first.status.as_u16(), replayed(&first)), (201, ""));
    assert_eq!((again.status.as_u16(), replayed(&again)), (201, "true"));
    assert_eq!(
        (&again.body, again.etag(), again.header("location")),
        (&first.body, first.etag(), first.header("location"))
    );
    assert_problem(&submit(caller, &another.id, &key).await, 422, "idempotency_key_reused");
    let case = submit(caller, &another.id, &fresh_key()).await;
    assert_eq!(case.status.as_u16(), 201, "a key of its own: {}", case.body);
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_submissions_of_one_draft_with_one_key_all_get_the_same_answer() {
    let desk = Desk::open().await;
    let draft = desk.journey(ITEM).await;
    let key = fresh_key();
    let replies = join_all((0..8).map(|_| submit(draft.resident.caller(), &draft.id, &key))).await;
    for reply in &replies {
        assert_eq!((reply.status.as_u16(), &reply.body), (201, &replies[0].body));
    }
    assert_eq!(replies.iter().filter(|reply| replayed(reply).is_empty()).count(), 1, "one request opened the case");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_concurrent_submissions_with_one_key_open_one_case() {
    let desk = Desk::open().await;
    let draft = desk.journey(ITEM).await;
    let another = desk.journey(ITEM).by(&draft.resident).await;
    let caller = draft.resident.caller();
    let key = fresh_key();
    let (one, other) = tokio::join!(submit(caller, &draft.id, &key), submit(caller, &another.id, &key));
    let (accepted, refused) = if one.status.as_u16() == 201 { (one, other) } else { (other, one) };
    assert_eq!(accepted.status.as_u16(), 201, "{}", accepted.body);
    assert_problem(&refused, 422, "idempotency_key_reused");
    assert_eq!(desk.count("select count(*) from cases").await, 1);
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_is_refused_with_every_fault_at_once() {
    let desk = Desk::open().await;
    let resident = desk.resident().await;
    let caller = resident.caller();
    let begin = async |caller: &Caller| {
        caller.put(&fresh_draft()).if_absent().json(&begun(ITEM)).success().await.unwrap().text("/id").unwrap()
    };
    let reply = submit(caller, &begin(caller).await, &fresh_key()).await;
    assert_problem(&reply, 422, "invalid_body");
    let faults = reply.at("/errors").unwrap().as_array().unwrap();
    let pointers: Vec<&str> = faults.iter().filter_map(|fault| fault["pointer"].as_str()).collect();
    for part in ["/form/", "/materials", "/delivery"] {
        assert!(pointers.iter().any(|pointer| pointer.starts_with(part)), "{part} in {pointers:?}");
    }

    let unverified = desk.stranger().await;
    let draft = begin(unverified.caller()).await;
    assert_problem(&submit(unverified.caller(), &draft, &fresh_key()).await, 403, "identity_not_verified");
    assert_problem(&submit(caller, &draft, &fresh_key()).await, 404, "not_found");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_in_another_persons_name_is_refused_unless_an_agent_is_named() {
    let desk = Desk::open().await;
    let resident = desk.resident().await;
    let caller = resident.caller();
    let id = resident.draft(ITEM, &electronic()).await.unwrap();
    let path = format!("/v1/drafts/{id}");
    let read = caller.get(&path).success().await.unwrap();
    let mut draft = json!({"item_code": ITEM});
    for member in ["form", "materials", "delivery"] {
        draft[member] = read.at(&format!("/{member}")).unwrap().clone();
    }
    draft["form"]["applicant"]["name"] = json!("李晓红");
    draft["form"]["applicant"]["resident_id"] = json!("320482200002290011");
    draft["form"]["agent"] = json!({"through_agent": false});
    let saved = caller.put(&path).if_match(read.etag()).json(&draft).success().await.unwrap();
    let expected = [
        json!({"pointer": "/form/applicant/name", "code": "not_the_verified_person"}),
        json!({"pointer": "/form/applicant/resident_id", "code": "not_the_verified_person"}),
    ];
    let reported = |faults: &Value| -> Vec<Value> {
        let fault = |fault: &Value| json!({"pointer": fault["pointer"], "code": fault["code"]});
        faults.as_array().unwrap().iter().map(fault).collect()
    };
    assert_eq!(reported(saved.at("/faults").unwrap()), expected, "the draft reports it before the submission");
    let reply = submit(caller, &id, &fresh_key()).await;
    assert_problem(&reply, 422, "invalid_body");
    assert_eq!(reported(reply.at("/errors").unwrap()), expected);

    // If the form names the signed-in person as agent, it is accepted.
    let me = resident.applicant;
    draft["form"]["agent"] =
        json!({"through_agent": true, "name": me.name, "resident_id": me.resident_id, "phone": me.phone});
    caller.put(&path).if_match(saved.etag()).json(&draft).success().await.unwrap();
    assert_eq!(submit(caller, &id, &fresh_key()).await.status.as_u16(), 201);
    desk.close().await;
}
