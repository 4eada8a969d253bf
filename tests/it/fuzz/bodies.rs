//! Request bodies: JSON of the right shape that says strange things, and bytes that were JSON once.

use poem::test::TestClient;
use serde_json::{Value, json};
use songda::lifecycle::Tasks;

use super::known::Known;
use super::mangle;
use super::operation::{Asked, Operation};
use crate::api::edge::HASTY;
use crate::support::desk::Desk;
use crate::support::office::result;

#[tokio::test(flavor = "multi_thread")]
async fn no_body_is_too_strange() {
    let (mut desk, app) = Desk::open_api(&HASTY).await;
    desk.leave_jobs();
    let known = Known::on(&desk).await;
    let server = TestClient::new(app.routes(&Tasks::new().stopping()).unwrap());
    for operation in Operation::all() {
        let Some(example) = operation.example() else { continue };
        let asked = operation.asked(&known);
        let strange = mangle::json(vec![example.clone()]);
        let spoiled = mangle::bytes(vec![example.to_string().into_bytes()]);
        let strange =
            mangle::some(&strange, mangle::cases() / 8).into_iter().map(|value| value.to_string().into_bytes());
        let spoiled = mangle::some(&spoiled, mangle::cases() / 16).into_iter().map(|mangled| mangled.0);
        for body in strange.chain(spoiled) {
            let answer = operation.ask(&server, &Asked { body, ..asked.clone() }).await;
            assert!(answer.body.len() < 100_000, "{operation:?} says very much");
        }
    }
    desk.close().await;
}

/// A draft holds whatever was typed. What is wrong with it is told, and it can be read again.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_draft_holds_it_can_be_read_again() {
    let desk = Desk::open_with(&HASTY).await;
    let (resident, _) = desk.resident().await;
    let path = format!("/v1/drafts/{}", resident.draft("JT-0045", &json!({"way": "electronic"})).await.unwrap());
    let filled = resident.caller().get(&path).success().await.unwrap();
    let form = filled.at("/form").unwrap().clone();
    for form in mangle::some(&mangle::json(vec![form]), mangle::cases() / 4) {
        let draft = json!({"item_code": "JT-0045", "form": form, "materials": []});
        let saved = resident.caller().put(&path).if_match("*").json(&draft).answer().await.unwrap();
        let read = resident.caller().get(&path).success().await.unwrap();
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

/// Rows of a batch that say strange things are judged each by itself: sound ones beside them take effect.
#[tokio::test(flavor = "multi_thread")]
async fn a_strange_row_harms_no_other() {
    let mut desk = Desk::open_idle(&HASTY).await;
    desk.leave_jobs();
    let office = crate::support::office::back_office(&desk).await;
    let mut strange = mangle::some(&mangle::json(vec![result("13912345678")]), mangle::cases() / 2);
    // Too deep a row makes the batch no JSON that anybody reads.
    strange.retain(|row| serde_json::from_str::<Value>(&json!({"results": [row]}).to_string()).is_ok());
    for rows in strange.chunks(20) {
        let sound = [result("13912345678"), result("13912345679")];
        let batch: Vec<Value> = [&sound[..1], rows, &sound[1..]].concat();
        let verdicts = office.hand_in(&batch).await.unwrap();
        assert_eq!(verdicts.len(), batch.len());
        for verdict in &verdicts {
            assert!(verdict["status"].as_u64().unwrap() < 500, "{verdict} in {batch:?}");
        }
        for sound in [&verdicts[0], &verdicts[verdicts.len() - 1]] {
            assert_eq!(sound["status"], 201, "{sound} in {batch:?}");
        }
    }
    desk.close().await;
}
