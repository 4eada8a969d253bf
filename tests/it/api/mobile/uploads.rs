//! What is not handed in has an end, and what was handed in has none.

use std::path::PathBuf;

use serde_json::{Value, json};
use songda::demo::http::{Caller, Reply};
use songda::demo::resident::Resident;
use songda::domain::kernel::clock::fresh;
use songda::domain::kernel::ids::DraftId;
use uuid::Uuid;

use crate::support::acts::{act, refused};
use crate::support::desk::{Desk, wait_until};

const ITEM: &str = "JT-0045";
/// A day later than anything that waits is kept.
const LONG_AFTER: &str = "update uploads set created_at = created_at - interval '91 days',
    keep_until = keep_until - interval '91 days'";

async fn upload(caller: &Caller) -> Reply {
    let pdf = reqwest::multipart::Part::bytes(&b"%PDF-1.4\n%%EOF\n"[..]).file_name("a.pdf");
    caller.post("/v1/uploads").file(pdf.mime_str("application/pdf").unwrap()).answer().await.unwrap()
}

async fn uploaded(resident: &Resident) -> String {
    let made = upload(resident.caller()).await;
    assert!(made.at("/kept_until").unwrap().is_string(), "{}", made.body);
    made.text("/id").unwrap()
}

fn draft_with(upload: &str) -> Value {
    json!({"item_code": ITEM, "form": {}, "materials": [{"key": "photo", "uploads": [upload]}]})
}

/// Where the content of an upload lies, or lay.
async fn content_of(desk: &Desk, upload: &str) -> PathBuf {
    let id: Uuid = upload.parse::<songda::domain::kernel::ids::UploadId>().unwrap().uuid();
    let path = sqlx::query_scalar("select object_path from uploads where id = $1").bind(id);
    let path: String = path.fetch_one(&desk.database).await.unwrap();
    desk.folder.join("uploads").join(path)
}

/// How many files are not handed in.
async fn waiting_files(desk: &Desk) -> i64 {
    let count = "select count(*) from uploads where keep_until is not null";
    sqlx::query_scalar(count).fetch_one(&desk.database).await.unwrap()
}

async fn is_there(resident: &Resident, path: String) -> bool {
    resident.caller().get(&path).answer().await.unwrap().status.as_u16() == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_nobody_needs_go_and_those_of_drafts_and_cases_stay() {
    let desk = Desk::open_with(&[("SONGDA_HOUSEKEEPING", "50ms")]).await;
    let (resident, _) = desk.resident().await;
    let caller = resident.caller();
    // In a case, in the answer to a notice, in a draft that is young, and nowhere.
    let draft = resident.draft(ITEM, &json!({"way": "electronic"})).await.unwrap();
    let case = resident.submit(&draft).await.unwrap().id;
    let (unused, late, drafted) = (uploaded(&resident).await, uploaded(&resident).await, uploaded(&resident).await);
    let officer = desk.officer("public-security").await;
    act(officer.caller(), &case, "supplement-notice", &json!({"points": ["证明"]})).await;
    let answer = json!({"note": "已补交", "materials": [{"key": "address_proof", "uploads": [late]}]});
    caller.post(&format!("/v1/cases/{case}/supplement")).json(&answer).success().await.unwrap();
    let path = format!("/v1/drafts/{}", fresh(DraftId::from_uuid));
    let saved = caller.put(&path).if_absent().json(&draft_with(&drafted)).success().await.unwrap();
    assert!(saved.at("/kept_until").unwrap().is_string());
    let shown = caller.get(&format!("/v1/uploads/{late}")).success().await.unwrap();
    assert!(shown.at("/kept_until").is_err(), "it belongs to the case: {}", shown.body);

    // An older program submitted without a mark: whatever the rows say, what a case names is kept.
    let content = content_of(&desk, &unused).await;
    sqlx::query("update uploads set keep_until = created_at + interval '90 days'")
        .execute(&desk.database)
        .await
        .unwrap();
    sqlx::query(LONG_AFTER).execute(&desk.database).await.unwrap();
    let is_gone = async || !content.exists();
    wait_until("the unused content is gone", is_gone).await;
    assert!(!is_there(&resident, format!("/v1/uploads/{unused}")).await);
    let read = officer.caller().get(&format!("/staff/v1/cases/{case}")).success().await.unwrap();
    let handed_in = read.at("/application/materials").unwrap().as_array().unwrap().iter();
    let mut files: Vec<String> =
        handed_in.flat_map(|it| it["uploads"].as_array().unwrap()).map(|id| id.as_str().unwrap().to_owned()).collect();
    files.extend([late, drafted]);
    for file in files {
        assert!(is_there(&resident, format!("/v1/uploads/{file}/content")).await, "{file} is needed");
    }

    // The draft grows old, and what it named with it; what became a case stays.
    let older = "update drafts set updated_at = updated_at - interval '91 days'";
    sqlx::query(older).execute(&desk.database).await.unwrap();
    sqlx::query(LONG_AFTER).execute(&desk.database).await.unwrap();
    wait_until("the draft is forgotten", async || !is_there(&resident, path.clone()).await).await;
    wait_until("its file is forgotten", async || waiting_files(&desk).await == 0).await;
    assert!(is_there(&resident, format!("/v1/cases/{case}")).await);
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_piles_up_files_that_they_do_not_hand_in() {
    let desk = Desk::open_with(&[("SONGDA_UNUSED_UPLOADS", "4")]).await;
    let (resident, _) = desk.resident().await;
    let draft = resident.draft(ITEM, &json!({"way": "electronic"})).await.unwrap();
    let case = resident.submit(&draft).await.unwrap().id;
    let mut waiting = Vec::new();
    while waiting_files(&desk).await < 3 {
        waiting.push(uploaded(&resident).await);
    }
    // Two at once, where there is room for one.
    let both = tokio::join!(upload(resident.caller()), upload(resident.caller()));
    let both = [both.0, both.1];
    let too_many: Vec<&Reply> = both.iter().filter(|reply| reply.status.as_u16() != 201).collect();
    assert_eq!(too_many.len(), 1, "what was handed in does not count: {both:?}");
    refused(too_many[0], 409, "too_many_uploads");

    let content = content_of(&desk, &waiting[0]).await;
    let path = format!("/v1/uploads/{}", waiting[0]);
    assert_eq!(resident.caller().delete(&path).answer().await.unwrap().status.as_u16(), 204);
    refused(&resident.caller().delete(&path).answer().await.unwrap(), 404, "not_found");
    wait_until("its content is gone", async || !content.exists()).await;
    uploaded(&resident).await;

    let officer = desk.officer("public-security").await;
    let read = officer.caller().get(&format!("/staff/v1/cases/{case}")).success().await.unwrap();
    let kept = read.at("/application/materials/0/uploads/0").unwrap().as_str().unwrap();
    let reply = resident.caller().delete(&format!("/v1/uploads/{kept}")).answer().await.unwrap();
    refused(&reply, 409, "upload_handed_in");
    desk.close().await;
}

/// Every content that the object store holds, whoever knows of it.
fn contents(desk: &Desk) -> usize {
    let Ok(days) = std::fs::read_dir(desk.folder.join("uploads")) else { return 0 };
    days.map(|day| std::fs::read_dir(day.unwrap().path()).unwrap().count()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_content_stays_of_which_the_record_knows_nothing() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    let promised = async || {
        let open = "select count(*) from jobs where kind = 'remove_content' and state = 'pending'";
        sqlx::query_scalar::<_, i64>(open).fetch_one(&desk.database).await.unwrap()
    };
    let change = async |sql: &'static str| sqlx::raw_sql(sql).execute(&desk.database).await.unwrap();

    // The content is written, and its row fails.
    change("alter table uploads add constraint no_rows check (false) not valid").await;
    assert_eq!(upload(resident.caller()).await.status.as_u16(), 500);
    change("alter table uploads drop constraint no_rows").await;
    assert_eq!((contents(&desk), promised().await), (1, 1));
    let kept = uploaded(&resident).await;
    assert_eq!((contents(&desk), promised().await), (2, 1), "a file that has its row is promised to nobody");
    change("update jobs set due_at = now() where kind = 'remove_content'").await;
    wait_until("its content is gone", async || contents(&desk) == 1).await;
    assert!(is_there(&resident, format!("/v1/uploads/{kept}/content")).await);

    // The row comes when its content is being removed already.
    change(
        "create function begin_removal() returns trigger language plpgsql as $$ begin
             update jobs set fence = fence + 1 where kind = 'remove_content' and state = 'pending'; return new; end $$;
         create trigger begun before insert on uploads for each row execute function begin_removal()",
    )
    .await;
    refused(&upload(resident.caller()).await, 503, "unavailable");
    assert_eq!(waiting_files(&desk).await, 1, "no row without its content");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_kept_as_long_as_a_log() {
    let desk = Desk::open_with(&[("SONGDA_HOUSEKEEPING", "50ms")]).await;
    let of_before = "insert into refused_applications (item_code, reason, at)
        select 'XX-' || years, 'not_published', now() - years * interval '366 days' from generate_series(1, 4) years";
    sqlx::query(of_before).execute(&desk.database).await.unwrap();
    let left = "select count(*) from refused_applications";
    let are_young = async || sqlx::query_scalar::<_, i64>(left).fetch_one(&desk.database).await.unwrap() == 2;
    wait_until("those of the last three years are left", are_young).await;
    desk.close().await;
}
