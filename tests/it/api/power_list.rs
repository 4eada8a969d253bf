//! 目录之外不得实施行政审批, whatever the memory of a process holds: the record knows what is in force.

use serde_json::json;
use songda::demo::fresh_key;
use songda::demo::http::Reply;
use songda::demo::officer::DeskOfficer;
use songda::demo::resident::Resident;

use crate::support::acts::{act, refused};
use crate::support::desk::Desk;
use crate::support::office::{KnownOffice, result};

const POLICE: &str = "public-security";
const ITEM: &str = "JT-0045";

/// Publishes behind the back of every process: their memory is as old as if this were a moment ago.
async fn publish(desk: &Desk, changes: &[&'static str]) {
    let mut tx = desk.database.begin().await.unwrap();
    for sql in changes {
        sqlx::query(*sql).execute(&mut *tx).await.unwrap();
    }
    sqlx::query("update catalogue set revision = revision + 1").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

const WITHDRAW: &str = "update item_versions set withdrawn_at = now() where code = 'JT-0045' and withdrawn_at is null";
const NEW_VERSION: &str = r#"
    insert into item_versions (code, version, content, content_hash, published_at)
    select code, 2, content || '{"promised": {"days": 3, "unit": "workday"}}', '\x02', now()
    from item_versions where code = 'JT-0045' and version = 1"#;

async fn draft(resident: &Resident) -> String {
    resident.draft(ITEM, &json!({"way": "electronic"})).await.unwrap()
}

async fn submit(resident: &Resident, draft: &str) -> Reply {
    resident.caller().post("/v1/cases").once(&fresh_key()).json(&json!({"draft": draft})).answer().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_withdrawn_a_moment_ago_is_not_applied_for() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    let draft = draft(&resident).await;
    publish(&desk, &[WITHDRAW]).await;
    refused(&submit(&resident, &draft).await, 422, "item_not_published");
    let kept: (String, String, bool) =
        sqlx::query_as("select item_code, reason, person_id is not null from refused_applications")
            .fetch_one(&desk.database)
            .await
            .unwrap();
    assert_eq!(kept, (ITEM.to_owned(), "not_published".to_owned(), true));
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_published_a_moment_ago_is_applied_for_and_accepted_everywhere() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    let draft = draft(&resident).await;
    // This process has read the catalogue before, and looks for a newer one only now and then.
    let elsewhere = desk.server(None).await;
    publish(&desk, &[WITHDRAW, NEW_VERSION]).await;

    let submitted = submit(&resident, &draft).await;
    assert_eq!(submitted.status.as_u16(), 201, "{}", submitted.body);
    assert_eq!(submitted.at("/item/version").unwrap(), 2, "it is judged by what is in force");
    let case = submitted.text("/id").unwrap();
    let officer: DeskOfficer = desk.officer_at(&elsewhere.api, POLICE).await;
    let read = officer.caller().get(&format!("/staff/v1/cases/{case}")).success().await.unwrap();
    assert!(!read.body.to_string().contains(resident.applicant.resident_id), "masked all the same: {}", read.body);
    let accepted = act(officer.caller(), &case, "acceptance", &json!({})).await;
    assert_eq!(accepted.status.as_u16(), 200, "{}", accepted.body);
    desk.close().await;
}

#[tokio::test]
async fn what_another_system_may_not_decide_is_refused_and_kept() {
    let desk = Desk::open().await;
    let known = KnownOffice::new(&desk).await;
    let office = desk.api.with_token(known.token(&desk).await);
    let mut row = result("13800138000");
    row.as_object_mut().unwrap().remove("ref");
    let hand_in = async |row: &serde_json::Value| {
        let path = format!("/integration/v1/results/{}/{}", known.source, fresh_key());
        office.put(&path).once(&fresh_key()).json(row).answer().await.unwrap()
    };
    let mut unknown = row.clone();
    unknown["item_code"] = json!("XX-9999");
    refused(&hand_in(&unknown).await, 422, "item_not_published");
    publish(&desk, &[WITHDRAW]).await;
    refused(&hand_in(&row).await, 422, "item_not_published");
    let cases: i64 = sqlx::query_scalar("select count(*) from cases").fetch_one(&desk.database).await.unwrap();
    assert_eq!(cases, 0);
    let kept: Vec<(String, String, bool)> =
        sqlx::query_as("select item_code, reason, client_id is not null from refused_applications order by id")
            .fetch_all(&desk.database)
            .await
            .unwrap();
    let reason = "not_published".to_owned();
    assert_eq!(kept, [("XX-9999".to_owned(), reason.clone(), true), (ITEM.to_owned(), reason, true)]);
    desk.close().await;
}
