//! Uploads: what is accepted, who is allowed to read it, and how long it is kept.

use std::path::PathBuf;

use serde_json::{Value, json};
use songda::demo::fresh_key;
use songda::demo::http::{Caller, Reply};
use songda::demo::pdf::empty_page;
use songda::demo::resident::Resident;
use songda::domain::kernel::ids::UploadId;
use uuid::Uuid;

use crate::support::acts::{act, fresh_draft, notice, stored_contents, submit, upload};
use crate::support::answers::{assert_problem, faults};
use crate::support::desk::Desk;
use crate::support::items::{AGENCY, ITEM, OTHER_AGENCY};
use crate::support::wait::wait_until;

/// Makes all uploads 91 days old. An upload that no case names is kept for 90 days.
const AGE_UPLOADS: &str = "update uploads set created_at = created_at - interval '91 days',
    keep_until = keep_until - interval '91 days'";

/// Uploads a PDF, and returns the upload's id.
async fn uploaded(resident: &Resident) -> String {
    let made = upload(resident.caller(), empty_page("")).await;
    assert!(made.at("/kept_until").unwrap().is_string(), "{}", made.body);
    made.text("/id").unwrap()
}

/// Returns the path of the file with the content of an upload. Possibly the file no longer exists.
async fn content_of(desk: &Desk, upload: &str) -> PathBuf {
    let id: Uuid = upload.parse::<UploadId>().unwrap().uuid();
    let path = sqlx::query_scalar("select object_path from uploads where id = $1").bind(id);
    let path: String = path.fetch_one(&desk.database).await.unwrap();
    desk.folder.join("uploads").join(path)
}

/// Counts the uploads that no case names.
async fn waiting_uploads(desk: &Desk) -> i64 {
    desk.count("select count(*) from uploads where keep_until is not null").await
}

async fn exists(resident: &Resident, path: &str) -> bool {
    resident.caller().get(path).answer().await.unwrap().status.as_u16() == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_has_the_type_of_its_content_and_is_readable_by_its_owner_only() {
    let desk = Desk::builder().settings(&[("SONGDA_UPLOAD_LIMIT", "1000")]).open().await;
    let resident = desk.stranger().await;

    let made = upload(resident.caller(), empty_page("")).await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.body);
    assert_eq!(made.at("/content_type").unwrap(), "application/pdf");
    assert_eq!(made.at("/size").unwrap(), empty_page("").len());
    let path = made.header("location").to_owned();
    desk.finish().await;
    let content = resident.caller().get(&format!("{path}/content")).success().await.unwrap();
    assert_eq!((&content.bytes[..], content.header("content-type")), (&empty_page("")[..], "application/pdf"));

    let script = upload(resident.caller(), b"<script>alert(1)</script>").await;
    assert_problem(&script, 415, "unsupported_media_type");
    assert_problem(&upload(resident.caller(), Vec::new()).await, 422, "invalid_body");
    assert_problem(&upload(resident.caller(), empty_page(&" ".repeat(1000))).await, 413, "body_too_large");

    let other = desk.stranger().await;
    assert_problem(&other.caller().get(&path).answer().await.unwrap(), 404, "not_found");
    assert_problem(&other.caller().get(&format!("{path}/content")).answer().await.unwrap(), 404, "not_found");
    desk.close().await;
}

/// Puts a file into the draft's field for the agent's letter of authority, and submits the draft.
async fn submit_with(caller: &Caller, draft: &str, file: &str) -> Reply {
    let path = format!("/v1/drafts/{draft}");
    let read = caller.get(&path).success().await.unwrap();
    let member = |name: &str| read.body[name].clone();
    let mut form = member("form");
    form["agent"]["authorisation"] = file.into();
    let content = json!({
        "item_code": ITEM, "form": form, "materials": member("materials"), "delivery": member("delivery"),
    });
    caller.put(&path).if_match(read.etag()).json(&content).success().await.unwrap();
    submit(caller, draft, &fresh_key()).await
}

#[tokio::test]
async fn a_file_that_a_form_asks_for_reaches_the_officer() {
    let letter_of_authority = empty_page("letter of authority");
    let desk = Desk::open().await;
    let guide = desk.api.get(&format!("/v1/items/{ITEM}")).success().await.unwrap();
    let field = guide.at("/form_schema/properties/agent/properties/authorisation").unwrap();
    assert_eq!((&field["x-kind"], &field["x-when"]["field"]), (&json!("file"), &json!("through_agent")));

    let draft = desk.journey(ITEM).await;
    let caller = draft.resident.caller();
    let other = upload(desk.resident().await.caller(), letter_of_authority.clone()).await.text("/id").unwrap();
    let reply = submit_with(caller, &draft.id, &other).await;
    assert_problem(&reply, 422, "invalid_body");
    assert_eq!(faults(&reply), [("/form/agent/authorisation", "unknown_upload")], "it belongs to another resident");

    let letter = upload(caller, letter_of_authority.clone()).await.text("/id").unwrap();
    let made = submit_with(caller, &draft.id, &letter).await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.body);
    let case = format!("/staff/v1/cases/{}", made.text("/id").unwrap());
    let officer = desk.officer(AGENCY).await;
    let read = officer.caller().get(&case).success().await.unwrap();
    assert_eq!(read.at("/application/form/agent/authorisation").unwrap(), &Value::from(letter.as_str()));
    let file = format!("{case}/uploads/{letter}");
    desk.finish().await;
    let content = officer.caller().get(&file).success().await.unwrap();
    assert_eq!((content.bytes.as_ref(), content.header("content-type")), (&letter_of_authority[..], "application/pdf"));
    let elsewhere = desk.officer(OTHER_AGENCY).await;
    assert_problem(&elsewhere.caller().get(&file).answer().await.unwrap(), 404, "not_found");
    let deleted = caller.delete(&format!("/v1/uploads/{letter}")).answer().await.unwrap();
    assert_problem(&deleted, 409, "upload_handed_in");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_in_drafts_and_cases_are_kept_and_unused_ones_expire() {
    let desk = Desk::builder().settings(&[("SONGDA_HOUSEKEEPING", "50ms")]).open().await;
    // One upload in a case, one in the answer to a supplement notice, one in a new draft, and one that nothing names.
    let case = desk.journey(ITEM).submitted().await;
    let caller = case.resident.caller();
    let unused = uploaded(&case.resident).await;
    let late = uploaded(&case.resident).await;
    let drafted = uploaded(&case.resident).await;
    let officer = desk.officer(AGENCY).await;
    act(officer.caller(), &case.id, "supplement-notice", &notice()).await;
    let answer = json!({"note": "已补交", "materials": [{"key": "address_proof", "uploads": [late]}]});
    caller.post(&format!("{}/supplement", case.path())).json(&answer).success().await.unwrap();
    let draft = fresh_draft();
    let body = json!({"item_code": ITEM, "form": {}, "materials": [{"key": "photo", "uploads": [drafted]}]});
    let saved = caller.put(&draft).if_absent().json(&body).success().await.unwrap();
    assert!(saved.at("/kept_until").unwrap().is_string());
    let shown = caller.get(&format!("/v1/uploads/{late}")).success().await.unwrap();
    assert!(shown.at("/kept_until").is_err(), "it belongs to the case: {}", shown.body);

    // Even if the database marks every upload as unused, a file that a case names is kept, because removal is final.
    let content = content_of(&desk, &unused).await;
    desk.execute("update uploads set keep_until = created_at + interval '90 days'").await;
    desk.execute(AGE_UPLOADS).await;
    wait_until("the unused content is deleted", async || !content.exists()).await;
    assert!(!exists(&case.resident, &format!("/v1/uploads/{unused}")).await);
    desk.finish().await;
    let read = officer.caller().get(&case.staff_path()).success().await.unwrap();
    let handed_in = read.at("/application/materials").unwrap().as_array().unwrap().iter();
    let handed_in = handed_in.flat_map(|material| material["uploads"].as_array().unwrap());
    for file in handed_in.map(|id| id.as_str().unwrap()).chain([late.as_str(), drafted.as_str()]) {
        assert!(exists(&case.resident, &format!("/v1/uploads/{file}/content")).await, "{file} is needed");
    }

    // The draft expires, and its uploads with it. The case stays.
    desk.execute("update drafts set updated_at = updated_at - interval '91 days'").await;
    desk.execute(AGE_UPLOADS).await;
    wait_until("the draft is deleted", async || !exists(&case.resident, &draft).await).await;
    wait_until("its upload is deleted", async || waiting_uploads(&desk).await == 0).await;
    assert!(exists(&case.resident, &case.path()).await);
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_uploads_that_are_not_handed_in_is_limited() {
    let desk = Desk::builder().settings(&[("SONGDA_UNUSED_UPLOADS", "4")]).open().await;
    let case = desk.journey(ITEM).submitted().await;
    let resident = &case.resident;
    let mut waiting = Vec::new();
    while waiting_uploads(&desk).await < 3 {
        waiting.push(uploaded(resident).await);
    }
    // The resident uploads two files at the same time, and is allowed to upload only one more.
    let both = tokio::join!(upload(resident.caller(), empty_page("")), upload(resident.caller(), empty_page("")));
    let both = [both.0, both.1];
    let too_many: Vec<&Reply> = both.iter().filter(|reply| reply.status.as_u16() != 201).collect();
    assert_eq!(too_many.len(), 1, "uploads that are handed in do not count: {both:?}");
    assert_problem(too_many[0], 409, "too_many_uploads");

    let content = content_of(&desk, &waiting[0]).await;
    let path = format!("/v1/uploads/{}", waiting[0]);
    assert_eq!(resident.caller().delete(&path).answer().await.unwrap().status.as_u16(), 204);
    assert_problem(&resident.caller().delete(&path).answer().await.unwrap(), 404, "not_found");
    wait_until("its content is deleted", async || !content.exists()).await;
    uploaded(resident).await;

    let officer = desk.officer(AGENCY).await;
    let read = officer.caller().get(&case.staff_path()).success().await.unwrap();
    let kept = read.at("/application/materials/0/uploads/0").unwrap().as_str().unwrap();
    let reply = resident.caller().delete(&format!("/v1/uploads/{kept}")).answer().await.unwrap();
    assert_problem(&reply, 409, "upload_handed_in");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_content_without_a_row_is_removed_and_no_row_lacks_its_content() {
    let desk = Desk::open().await;
    let resident = desk.resident().await;
    let removals =
        async || desk.count("select count(*) from jobs where kind = 'remove_content' and state = 'pending'").await;

    // The content of the upload is written, but its row cannot be written.
    desk.execute("alter table uploads add constraint no_rows check (false) not valid").await;
    assert_eq!(upload(resident.caller(), empty_page("")).await.status.as_u16(), 500);
    desk.execute("alter table uploads drop constraint no_rows").await;
    assert_eq!((stored_contents(&desk), removals().await), (1, 1));
    let kept = uploaded(&resident).await;
    assert_eq!((stored_contents(&desk), removals().await), (2, 1), "a content with its row has no job to remove it");
    desk.execute("update jobs set due_at = now() where kind = 'remove_content'").await;
    wait_until("the content is deleted", async || stored_contents(&desk) == 1).await;
    desk.finish().await;
    assert!(exists(&resident, &format!("/v1/uploads/{kept}/content")).await);

    // A trigger makes the job that removes the content begin just before the row is written, so the upload must fail.
    desk.execute(
        "create function begin_removal() returns trigger language plpgsql as $$ begin
             update jobs set fence = fence + 1 where kind = 'remove_content' and state = 'pending'; return new; end $$;
         create trigger begun before insert on uploads for each row execute function begin_removal()",
    )
    .await;
    assert_problem(&upload(resident.caller(), empty_page("")).await, 503, "unavailable");
    assert_eq!(waiting_uploads(&desk).await, 1, "no row without its content");
    desk.close().await;
}
