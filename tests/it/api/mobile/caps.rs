//! One account cannot fill the database: what a person may have at once is limited, also if many requests come at the same
//! moment.

use futures_util::future::join_all;
use serde_json::json;
use songda::casework::cases::drafts::save::MOST_DRAFTS;
use songda::demo::fresh_key;
use songda::demo::http::Reply;
use songda::domain::kernel::clock::fresh;
use songda::domain::kernel::ids::{DraftId, InstallationId};
use uuid::Uuid;

use crate::support::acts::{begun, submit};
use crate::support::answers::assert_problem;
use crate::support::desk::Desk;
use crate::support::items::ITEM;

/// The maximum number of a person's open cases of an item (migrations/0004_cases.sql).
const MOST_OPEN: usize = 20;
/// The maximum number of a person's devices.
const MOST_DEVICES: i64 = 10;

/// Splits answers into those with this status and the others.
fn split(replies: Vec<Reply>, status: u16) -> (Vec<Reply>, Vec<Reply>) {
    replies.into_iter().partition(|reply| reply.status.as_u16() == status)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_at_most_fifty_drafts_that_were_not_submitted() {
    let desk = Desk::open().await;
    let resident = desk.resident().await;
    let caller = resident.caller();
    let create = async |id: &DraftId| {
        caller.put(&format!("/v1/drafts/{id}")).if_absent().json(&begun(ITEM)).answer().await.unwrap()
    };
    let ids: Vec<DraftId> = (0..MOST_DRAFTS + 8).map(|_| fresh(DraftId::from_uuid)).collect();
    let (made, others) = split(join_all(ids.iter().map(create)).await, 201);
    assert_eq!(i64::try_from(made.len()).unwrap(), MOST_DRAFTS);
    for other in &others {
        assert_problem(other, 409, "too_many_drafts");
    }
    let first = made[0].at("/id").unwrap().as_str().unwrap().to_owned();
    let again = create(&first.parse().unwrap()).await;
    assert!(again.status.is_success(), "a request that is repeated finds its draft: {}", again.body);

    caller.delete(&format!("/v1/drafts/{first}")).success().await.unwrap();
    assert_eq!(create(&fresh(DraftId::from_uuid)).await.status.as_u16(), 201);
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_at_most_twenty_open_cases_of_an_item() {
    let desk = Desk::open().await;
    let person = desk.resident().await;
    let caller = person.caller();
    let mut drafts = Vec::new();
    for _ in 0..MOST_OPEN + 3 {
        drafts.push(desk.journey(ITEM).by(&person).await.id);
    }
    let keys: Vec<String> = drafts.iter().map(|_| fresh_key()).collect();
    let asked = drafts.iter().zip(&keys).map(|(draft, key)| submit(caller, draft, key));
    let (opened, others) = split(join_all(asked).await, 201);
    assert_eq!(opened.len(), MOST_OPEN);
    for other in &others {
        assert_problem(other, 409, "too_many_open_cases");
    }
    let left = caller.get("/v1/drafts").success().await.unwrap();
    assert_eq!(left.rows().unwrap().len(), 3, "a draft that is refused stays");

    let case = opened[0].at("/id").unwrap().as_str().unwrap().to_owned();
    let withdraw = caller.post(&format!("/v1/cases/{case}/withdrawal")).if_match("*").once(&fresh_key());
    withdraw.json(&json!({"reason": "不办了"})).success().await.unwrap();
    let draft = left.rows().unwrap()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(submit(caller, &draft, &fresh_key()).await.status.as_u16(), 201);
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_more_than_ten_devices_those_that_were_not_seen_for_longest_are_forgotten() {
    let desk = Desk::open().await;
    let resident = desk.resident().await;
    let register = async |id: InstallationId| {
        let call = resident.caller().put(&format!("/v1/devices/{id}"));
        let device = json!({
            "platform": "ios", "app_version": "1.0", "os_version": "18", "language": "zh-CN", "push_permission": "unknown",
        });
        call.json(&device).success().await.unwrap();
    };
    let ids: Vec<InstallationId> = (0..MOST_DEVICES + 3).map(|_| fresh(InstallationId::from_uuid)).collect();
    for id in &ids {
        register(*id).await;
    }
    register(ids[3]).await;
    let known: Vec<Uuid> = sqlx::query_scalar("select installation_id from devices order by last_seen_at")
        .fetch_all(&desk.database)
        .await
        .unwrap();
    let expected: Vec<Uuid> = ids[4..].iter().chain([&ids[3]]).map(|id| id.uuid()).collect();
    assert_eq!(known, expected);
    desk.close().await;
}
