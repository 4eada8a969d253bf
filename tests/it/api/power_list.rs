//! 目录之外不得实施行政审批: no approval outside the published catalogue. The database decides what is in force, however old
//! the catalogue in a process's memory is.

use serde_json::json;
use songda::demo::fresh_key;

use crate::support::acts::{act, submit};
use crate::support::answers::assert_problem;
use crate::support::desk::Desk;
use crate::support::items::{AGENCY, ITEM};
use crate::support::office::{Office, result, result_with};

/// Changes the catalogue in the database only. The processes still have the old catalogue in memory, as in the first
/// moments after a publication.
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

#[tokio::test(flavor = "multi_thread")]
async fn an_item_withdrawn_a_moment_ago_cannot_be_applied_for() {
    let desk = Desk::open().await;
    let draft = desk.journey(ITEM).await;
    publish(&desk, &[WITHDRAW]).await;
    let submitted = submit(draft.resident.caller(), &draft.id, &fresh_key()).await;
    assert_problem(&submitted, 422, "item_not_published");
    let recorded: (String, String, bool) =
        sqlx::query_as("select item_code, reason, person_id is not null from refused_applications")
            .fetch_one(&desk.database)
            .await
            .unwrap();
    assert_eq!(recorded, (ITEM.to_owned(), "not_published".to_owned(), true));
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_published_a_moment_ago_is_applied_for_and_accepted_at_every_process() {
    let desk = Desk::open().await;
    let draft = desk.journey(ITEM).await;
    // This process has read the catalogue, and looks for a newer one only from time to time.
    let elsewhere = desk.server().await;
    publish(&desk, &[WITHDRAW, NEW_VERSION]).await;

    let submitted = submit(draft.resident.caller(), &draft.id, &fresh_key()).await;
    assert_eq!(submitted.status.as_u16(), 201, "{}", submitted.body);
    assert_eq!(submitted.at("/item/version").unwrap(), 2, "the version in force counts");
    let case = submitted.text("/id").unwrap();
    let officer = desk.officer_at(&elsewhere.api, AGENCY).await;
    let read = officer.caller().get(&format!("/staff/v1/cases/{case}")).success().await.unwrap();
    let resident_id = draft.resident.applicant.resident_id;
    assert!(!read.body.to_string().contains(resident_id), "masked under the new version as well: {}", read.body);
    let accepted = act(officer.caller(), &case, "acceptance", &json!({})).await;
    assert_eq!(accepted.status.as_u16(), 200, "{}", accepted.body);
    desk.close().await;
}

#[tokio::test]
async fn a_result_for_an_item_that_is_not_in_force_is_refused_and_the_attempt_recorded() {
    let desk = Desk::open().await;
    let office = Office::register(&desk).await;
    let unknown = result_with("/item_code", json!("XX-9999"));
    assert_problem(&office.put(&fresh_key(), &unknown).await, 422, "item_not_published");
    publish(&desk, &[WITHDRAW]).await;
    let withdrawn = office.put(&fresh_key(), &result("13800138000")).await;
    assert_problem(&withdrawn, 422, "item_not_published");
    assert_eq!(desk.count("select count(*) from cases").await, 0);
    let recorded: Vec<(String, String, bool)> =
        sqlx::query_as("select item_code, reason, client_id is not null from refused_applications order by id")
            .fetch_all(&desk.database)
            .await
            .unwrap();
    let reason = "not_published".to_owned();
    assert_eq!(recorded, [("XX-9999".to_owned(), reason.clone(), true), (ITEM.to_owned(), reason, true)]);
    desk.close().await;
}
