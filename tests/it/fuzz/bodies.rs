//! Request bodies: valid JSON with strange values, and JSON with damaged bytes.

use poem::test::TestClient;
use serde_json::{Value, json};
use songda::lifecycle::Tasks;

use super::known::Known;
use super::mangle;
use super::operation::{Operation, Request};
use crate::support::desk::Desk;
use crate::support::items::ITEM;
use crate::support::office::{Office, result};
use crate::support::settings::UNLIMITED;

#[tokio::test(flavor = "multi_thread")]
async fn any_body_is_answered_as_documented() {
    let mut desk = Desk::builder().settings(&UNLIMITED).without_worker().open().await;
    desk.leave_jobs();
    let known = Known::on(&desk).await;
    let server = TestClient::new(desk.app.routes(&Tasks::new().stopping()).unwrap());
    for operation in Operation::all() {
        let Some(example) = operation.example() else { continue };
        let request = operation.request(&known);
        let strange = mangle::json(vec![example.clone()]);
        let spoiled = mangle::bytes(vec![example.to_string().into_bytes()]);
        let strange =
            mangle::some(&strange, mangle::cases() / 8).into_iter().map(|value| value.to_string().into_bytes());
        let spoiled = mangle::some(&spoiled, mangle::cases() / 16).into_iter().map(|mangled| mangled.0);
        for body in strange.chain(spoiled) {
            let answer = operation.send(&server, &Request { body, ..request.clone() }).await;
            assert!(answer.body.len() < 100_000, "{operation:?} has a very long answer");
        }
    }
    desk.close().await;
}

/// A draft with any values is either saved or refused. If it is saved, its faults are reported, and it can be read
/// again.
#[tokio::test(flavor = "multi_thread")]
async fn a_draft_with_any_form_can_be_read_again() {
    let desk = Desk::builder().settings(&UNLIMITED).open().await;
    let draft = desk.journey(ITEM).await;
    let caller = draft.resident.caller();
    let path = format!("/v1/drafts/{}", draft.id);
    let filled = caller.get(&path).success().await.unwrap();
    let form = filled.at("/form").unwrap().clone();
    for form in mangle::some(&mangle::json(vec![form]), mangle::cases() / 4) {
        let draft = json!({"item_code": ITEM, "form": form, "materials": []});
        let saved = caller.put(&path).if_match("*").json(&draft).answer().await.unwrap();
        let read = caller.get(&path).success().await.unwrap();
        match saved.status.as_u16() {
            200 => assert_eq!(read.body, saved.body, "{draft}"),
            400 | 422 => assert_ne!(read.at("/form").unwrap(), &form, "{draft}"),
            status => panic!("{status}: {} to {draft}", saved.body),
        }
        for fault in read.at("/faults").unwrap().as_array().unwrap() {
            let (parent, _) = fault["pointer"].as_str().unwrap().rsplit_once('/').unwrap();
            assert!(read.body.pointer(parent).is_some(), "{fault} of {draft}");
        }
    }
    desk.close().await;
}

/// Each row of a batch is checked alone: valid rows beside strange ones take effect.
#[tokio::test(flavor = "multi_thread")]
async fn a_strange_row_of_a_batch_does_not_affect_the_others() {
    let mut desk = Desk::builder().settings(&UNLIMITED).without_worker().open().await;
    desk.leave_jobs();
    let office = Office::register(&desk).await;
    let mut strange = mangle::some(&mangle::json(vec![result("13912345678")]), mangle::cases() / 2);
    // Leaves out rows that are nested too deeply, because such a row makes the whole batch unreadable.
    strange.retain(|row| serde_json::from_str::<Value>(&json!({"results": [row]}).to_string()).is_ok());
    for rows in strange.chunks(20) {
        let valid = [result("13912345678"), result("13912345679")];
        let batch: Vec<Value> = [&valid[..1], rows, &valid[1..]].concat();
        let verdicts = office.hand_in(&batch).await;
        assert_eq!(verdicts.len(), batch.len());
        for verdict in &verdicts {
            assert!(verdict["status"].as_u64().unwrap() < 500, "{verdict} in {batch:?}");
        }
        for valid in [&verdicts[0], &verdicts[verdicts.len() - 1]] {
            assert_eq!(valid["status"], 201, "{valid} in {batch:?}");
        }
    }
    desk.close().await;
}
