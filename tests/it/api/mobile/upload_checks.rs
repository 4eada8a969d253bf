//! The check of uploads: what is refused at once, what is refused later, and what people are shown.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use reqwest::multipart::Part;
use serde_json::{Value, json};
use songda::demo::fresh_key;
use songda::demo::http::{Caller, Reply};
use songda::demo::pdf::empty_page;

use crate::support::acts::{act, fresh_draft, notice, submit, upload};
use crate::support::answers::{assert_problem, faults};
use crate::support::desk::Desk;
use crate::support::files::files_under;
use crate::support::items::{AGENCY, ITEM};
use crate::support::pictures::{HEIC, TAKEN_AT, damaged, of_size, photo};
use crate::support::wait::wait_until;

/// PDFs that common programs made.
const DOCUMENTS: &str = "tests/documents";

/// Makes the checks of new uploads due in an hour.
const HOLD_CHECKS: &str = "create function hold_check() returns trigger language plpgsql as $$ begin
         new.due_at := now() + interval '1 hour'; new.offered_at := null; return new; end $$;
     create trigger held before insert on jobs for each row when (new.kind = 'check_upload')
         execute function hold_check()";
/// Makes all checks due now.
const CHECK: &str = "drop trigger held on jobs; update jobs set due_at = now() where kind = 'check_upload'";

/// Uploads a file under a name.
async fn upload_as(caller: &Caller, name: &str, content: Vec<u8>) -> Reply {
    let part = Part::bytes(content).file_name(name.to_owned()).mime_str("application/octet-stream").unwrap();
    caller.post("/v1/uploads").file(part).answer().await.unwrap()
}

/// Returns the codes of the faults of a file.
fn file_faults(reply: &Reply) -> Vec<String> {
    assert_problem(reply, 422, "invalid_body");
    assert!(faults(reply).iter().all(|(pointer, _)| *pointer == "/file"), "{}", reply.body);
    faults(reply).into_iter().map(|(_, code)| code.to_owned()).collect()
}

/// Reads the content of an upload as its owner is shown it, as soon as it is checked.
async fn shown(caller: &Caller, upload: &str) -> Reply {
    let path = format!("/v1/uploads/{upload}");
    wait_until("the file is checked", async || {
        caller.get(&path).success().await.unwrap().at("/state").unwrap() != "checking"
    })
    .await;
    caller.get(&format!("{path}/content")).answer().await.unwrap()
}

#[tokio::test]
async fn a_file_is_taken_for_its_whole_structure_and_not_for_its_first_bytes() {
    let mut desk = Desk::builder().without_worker().open().await;
    desk.leave_jobs();
    let resident = desk.stranger().await;
    let caller = resident.caller();
    for content in [
        &b"<!DOCTYPE html><title>%PDF-1.7</title><script>alert(1)</script>%%EOF"[..],
        b"junk%PDF-1.4\n%%EOF",
        b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
    ] {
        assert_problem(&upload(caller, content).await, 415, "unsupported_media_type");
    }
    let photo = photo(200, 100);
    let document = empty_page("");
    let cut = document.len() - 8;
    for (content, fault) in [
        (b"\xff\xd8\xff".to_vec(), "incomplete"),
        (photo[..photo.len() / 2].to_vec(), "incomplete"),
        (damaged()[..60].to_vec(), "incomplete"),
        (document[..cut].to_vec(), "incomplete"),
        (b"%PDF-1.4\n%%EOF\n".to_vec(), "unreadable"),
        (of_size(100_000, 100_000), "too_many_pixels"),
        (of_size(10_000, 5_001), "too_many_pixels"),
        (of_size(0, 0), "unreadable"),
    ] {
        assert_eq!(file_faults(&upload(caller, content).await), [fault]);
    }
    for content in [photo, document, of_size(10_000, 5_000)] {
        assert_eq!(upload(caller, content).await.status.as_u16(), 201);
    }
    desk.close().await;
}

#[tokio::test]
async fn an_iphone_photo_is_refused_with_the_way_to_a_better_one() {
    let mut desk = Desk::builder().without_worker().open().await;
    desk.leave_jobs();
    let resident = desk.stranger().await;
    let refused = upload(resident.caller(), HEIC).await;
    assert_problem(&refused, 415, "unsupported_media_type");
    let advice = refused.text("/detail").unwrap();
    assert!(advice.contains("设置 › 相机 › 格式") && advice.contains("兼容性最佳"), "{advice}");
    let part = Part::bytes(HEIC).file_name("IMG_0001.HEIC");
    let call = resident.caller().post("/v1/uploads").file(part).header("accept-language", "en");
    let advice = call.answer().await.unwrap().text("/detail").unwrap();
    assert!(advice.contains("Most Compatible"), "{advice}");
    desk.close().await;
}

#[tokio::test]
async fn a_file_name_is_never_a_path() {
    let mut desk = Desk::builder().without_worker().open().await;
    desk.leave_jobs();
    let resident = desk.stranger().await;
    let before = files_in(&desk.folder);
    for name in ["../../../escaped.pdf", "/etc/passwd", r"..\..\escaped.pdf", "a\0b.pdf", "", &"长".repeat(5_000)] {
        let reply = upload_as(resident.caller(), name, empty_page(name.trim_end())).await;
        let status = reply.status.as_u16();
        assert!(status == 201 || status == 400, "{name:?}: {}", reply.body);
    }
    let added: Vec<PathBuf> = files_in(&desk.folder).into_iter().filter(|file| !before.contains(file)).collect();
    assert!(!added.is_empty() && added.iter().all(|file| is_of_an_upload(&desk, file)), "{added:?}");
    desk.close().await;
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_in(&path)) } else { found.push(path) }
    }
    found
}

/// True if a path is `uploads/<day>/upl_…`.
fn is_of_an_upload(desk: &Desk, file: &Path) -> bool {
    let Ok(inside) = file.strip_prefix(desk.folder.join("uploads")) else { return false };
    inside.iter().count() == 2 && inside.file_name().is_some_and(|name| name.to_string_lossy().starts_with("upl_"))
}

#[tokio::test]
async fn a_pdf_that_could_do_something_is_refused_with_every_reason() {
    let mut desk = Desk::builder().without_worker().open().await;
    desk.leave_jobs();
    let resident = desk.stranger().await;
    let with = |objects: &str| {
        let plain = String::from_utf8(empty_page("")).unwrap();
        plain.replace("trailer", &format!("{objects}\ntrailer")).into_bytes()
    };
    let scripts = "4 0 obj<</S/JavaScript/JS(app.alert\\(1\\))>>endobj 5 0 obj<</S/Launch/F(cmd.exe)>>endobj";
    let attached = "6 0 obj<</Type/Filespec/F(a.exe)/EF<</F 7 0 R>>>>endobj";
    let reply = upload(resident.caller(), with(&format!("{scripts} {attached}"))).await;
    assert_eq!(file_faults(&reply), ["pdf_script", "pdf_action", "pdf_attachment"]);
    assert!(reply.text("/errors/0/message").unwrap().contains("打印为新的 PDF"), "{}", reply.body);
    let locked = String::from_utf8(empty_page("")).unwrap().replace("/Root 1 0 R", "/Root 1 0 R/Encrypt 4 0 R");
    assert_eq!(file_faults(&upload(resident.caller(), locked).await), ["pdf_locked"]);
    let links = with("4 0 obj<</S/URI/URI(https://www.jintan.gov.cn)>>endobj 5 0 obj<</S/GoTo/D[3 0 R/Fit]>>endobj");
    assert_eq!(upload(resident.caller(), links).await.status.as_u16(), 201, "links are no danger");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pdfs_of_common_programs_are_taken_and_shown_unchanged() {
    let desk = Desk::open().await;
    let resident = desk.stranger().await;
    let documents = files_under(Path::new(DOCUMENTS), "pdf");
    assert!(documents.len() >= 30, "{documents:?}");
    for path in documents {
        let document = fs::read(&path).unwrap();
        let reply = upload(resident.caller(), document.clone()).await;
        assert_eq!(reply.status.as_u16(), 201, "{}: {}", path.display(), reply.body);
        let shown = shown(resident.caller(), &reply.text("/id").unwrap()).await;
        assert_eq!(&shown.bytes[..], &document[..], "{}", path.display());
    }
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_shown_a_copy_of_a_photo_and_the_original_is_kept_sealed() {
    let desk = Desk::open().await;
    let resident = desk.stranger().await;
    let photo = photo(300, 200);
    let marker = TAKEN_AT.as_bytes();
    let contains = |bytes: &[u8]| bytes.windows(marker.len()).any(|part| part == marker);
    assert!(contains(&photo));
    let made = upload(resident.caller(), photo.clone()).await;
    let shown = shown(resident.caller(), &made.text("/id").unwrap()).await;
    assert_eq!((shown.status.as_u16(), shown.header("content-type")), (200, "image/jpeg"));
    assert_eq!(shown.header("content-security-policy"), "sandbox");
    assert!(!contains(&shown.bytes), "the place of the photo is not shown");
    let picture = image::load_from_memory(&shown.bytes).unwrap();
    assert_eq!((picture.width(), picture.height()), (300, 200));

    let kept = files_in(&desk.folder.join("uploads"));
    assert_eq!(kept.len(), 2, "the original and the copy: {kept:?}");
    assert!(kept.iter().any(|file| fs::metadata(file).unwrap().len() > photo.len() as u64), "{kept:?}");
    for file in &kept {
        let bytes = fs::read(file).unwrap();
        assert!(!contains(&bytes) && !bytes.starts_with(b"\xff\xd8"), "{} is readable", file.display());
    }
    let deleted = resident.caller().delete(made.header("location")).answer().await.unwrap();
    assert_eq!(deleted.status.as_u16(), 204);
    wait_until("both are removed", async || files_in(&desk.folder.join("uploads")).is_empty()).await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_may_be_submitted_while_a_file_is_being_checked_and_officers_see_it_afterwards() {
    let desk = Desk::open().await;
    desk.execute(HOLD_CHECKS).await;
    let case = desk.journey(ITEM).submitted().await;
    let officer = desk.officer(AGENCY).await;
    let list = format!("{}/uploads", case.staff_path());
    let states = async || {
        let listed = officer.caller().get(&list).success().await.unwrap();
        listed.rows().unwrap().iter().map(|file| file["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(!states().await.is_empty() && states().await.iter().all(|state| state == "checking"));
    let listed = officer.caller().get(&list).success().await.unwrap();
    let file = listed.text("/data/0/id").unwrap();
    let unchecked = officer.caller().get(&format!("{list}/{file}")).answer().await.unwrap();
    assert_problem(&unchecked, 409, "upload_being_checked");
    assert_eq!(
        (unchecked.header("retry-after"), unchecked.text("/title").unwrap().as_str()),
        ("1", "文件检查中，请稍后再试")
    );
    let own = case.resident.caller().get(&format!("/v1/uploads/{file}/content")).answer().await.unwrap();
    assert_problem(&own, 409, "upload_being_checked");

    desk.execute(CHECK).await;
    wait_until("the files are checked", async || states().await.iter().all(|state| state == "passed")).await;
    let read = officer.caller().get(&format!("{list}/{file}")).success().await.unwrap();
    assert!(read.bytes.starts_with(b"%PDF-"));
    desk.close().await;
}

/// Saves a draft whose first material is this file, and submits it. Returns the answer.
async fn submit_with(caller: &Caller, draft: &str, file: &str) -> Reply {
    let path = format!("/v1/drafts/{draft}");
    let read = caller.get(&path).success().await.unwrap();
    let mut content = json!({"item_code": ITEM});
    for member in ["form", "materials", "delivery"] {
        content[member] = read.body[member].clone();
    }
    content["materials"][0]["uploads"] = json!([file]);
    caller.put(&path).if_match(read.etag()).json(&content).success().await.unwrap();
    submit(caller, draft, &fresh_key()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_fails_its_check_later_is_refused_and_the_resident_is_told_what_to_do() {
    let desk = Desk::open().await;
    desk.execute(HOLD_CHECKS).await;
    let draft = desk.journey(ITEM).await;
    let caller = draft.resident.caller();
    let bad = upload(caller, damaged()).await;
    assert_eq!((bad.status.as_u16(), bad.at("/state").unwrap()), (201, &json!("checking")));
    let bad = bad.text("/id").unwrap();
    let submitted = submit_with(caller, &draft.id, &bad).await;
    let case = submitted.text("/id").unwrap();
    desk.execute(CHECK).await;
    let refused = shown(caller, &bad).await;
    assert_problem(&refused, 409, "upload_refused");
    assert!(refused.text("/detail").unwrap().contains("请重新拍摄"), "{}", refused.body);
    desk.finish().await;

    // The officer sees that the file was refused and why, but not the file.
    let officer = desk.officer(AGENCY).await;
    let list = format!("/staff/v1/cases/{case}/uploads");
    let listed = officer.caller().get(&list).success().await.unwrap();
    let row = listed.rows().unwrap().iter().find(|row| row["id"] == *bad).unwrap().clone();
    assert_eq!((&row["state"], &row["refusal"]["reason"]), (&json!("refused"), &json!("unreadable")));
    assert_problem(&officer.caller().get(&format!("{list}/{bad}")).answer().await.unwrap(), 409, "upload_refused");
    let history = officer.caller().get(&format!("/staff/v1/cases/{case}/history")).success().await.unwrap();
    let last = history.rows().unwrap().last().unwrap().clone();
    assert_eq!((&last["act"], &last["by"]), (&json!("file_refused"), &json!("system")));
    assert_eq!(last["cause"], json!({"upload": bad, "reason": "unreadable"}));

    // The resident is told in the inbox and in the timeline, and hands in another file after the notice.
    let inbox = caller.get("/v1/notifications").success().await.unwrap();
    assert_eq!((inbox.rows().unwrap().len(), inbox.at("/data/0/event").unwrap()), (1, &json!("file_refused")));
    let timeline = draft.resident.timeline(&case).await.unwrap();
    let step = timeline.iter().find(|step| step["kind"] == "file_refused").unwrap();
    assert!(step["reasons"][0].as_str().unwrap().contains("请重新拍摄"), "{step}");
    act(officer.caller(), &case, "supplement-notice", &notice()).await;
    let answer = |file: &str| json!({"materials": [{"key": "photo", "uploads": [file]}]});
    let path = format!("/v1/cases/{case}/supplement");
    let again = caller.post(&path).json(&answer(&bad)).answer().await.unwrap();
    assert_eq!(refused_at(&again), "/materials/0/uploads/0");
    let good = upload(caller, photo(30, 20)).await.text("/id").unwrap();
    caller.post(&path).json(&answer(&good)).success().await.unwrap();
    desk.close().await;
}

/// Returns the pointer of the fault that a file was refused.
fn refused_at(reply: &Reply) -> String {
    assert_problem(reply, 422, "invalid_body");
    let all = faults(reply);
    all.iter().find(|(_, code)| *code == "refused_upload").unwrap_or_else(|| panic!("{all:?}")).0.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_with_a_refused_file_says_so_and_cannot_be_submitted() {
    let desk = Desk::open().await;
    let draft = desk.journey(ITEM).await;
    let caller = draft.resident.caller();
    let bad = upload(caller, damaged()).await.text("/id").unwrap();
    assert_problem(&shown(caller, &bad).await, 409, "upload_refused");
    let refused = submit_with(caller, &draft.id, &bad).await;
    assert_eq!(refused_at(&refused), "/materials/0/uploads/0");
    let message = refused.at("/errors").unwrap().as_array().unwrap()[0]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("请重新拍摄"), "{message}");
    let inbox = caller.get("/v1/notifications").success().await.unwrap();
    assert!(inbox.rows().unwrap().is_empty(), "no case has the file: {}", inbox.body);
    let body = json!({"item_code": ITEM, "form": {}, "materials": [{"key": "photo", "uploads": [bad]}]});
    let saved = caller.put(&fresh_draft()).if_absent().json(&body).success().await.unwrap();
    let shown: Vec<&Value> = saved.at("/faults").unwrap().as_array().unwrap().iter().collect();
    assert!(shown.iter().any(|fault| fault["code"] == "refused_upload"), "{shown:?}");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_can_be_continued_and_read_in_parts() {
    let desk = Desk::open().await;
    let resident = desk.stranger().await;
    let document = empty_page(&"0123456789".repeat(20_000));
    let id = upload(resident.caller(), document.clone()).await.text("/id").unwrap();
    let whole = shown(resident.caller(), &id).await;
    assert_eq!(
        (whole.header("accept-ranges"), whole.header("content-length")),
        ("bytes", &*document.len().to_string())
    );
    let path = format!("/v1/uploads/{id}/content");
    let part = async |range: &str, if_range: &str| {
        let call = resident.caller().get(&path).header("range", range);
        let call = if if_range.is_empty() { call } else { call.header("if-range", if_range) };
        call.answer().await.unwrap()
    };
    let last = document.len() - 1;
    for (range, begin, end) in [
        ("bytes=0-0".to_owned(), 0, 0),
        ("bytes=65530-65545".to_owned(), 65_530, 65_545),
        ("bytes=130000-".to_owned(), 130_000, last),
        ("bytes=-7".to_owned(), last - 6, last),
        (format!("bytes=100-{}", last + 100), 100, last),
    ] {
        let reply = part(&range, whole.etag()).await;
        assert_eq!((reply.status.as_u16(), &reply.bytes[..]), (206, &document[begin..=end]), "{range}");
        assert_eq!(reply.header("content-range"), format!("bytes {begin}-{end}/{}", document.len()));
        assert_eq!(reply.etag(), whole.etag());
    }
    for (range, if_range) in [("bytes=0-0,5-6", ""), ("pages=1-2", ""), ("bytes=0-9", "\"another\"")] {
        let reply = part(range, if_range).await;
        assert_eq!((reply.status.as_u16(), reply.bytes.len()), (200, document.len()), "{range}");
    }
    let beyond = part(&format!("bytes={}-", document.len()), "").await;
    assert_problem(&beyond, 416, "range_not_satisfiable");
    assert_eq!(beyond.header("content-range"), format!("bytes */{}", document.len()));
    let again = resident.caller().get(&path).header("if-none-match", whole.etag()).answer().await.unwrap();
    assert_eq!(again.status.as_u16(), 304);
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_user_of_the_process_can_enter_the_folder_of_files() {
    let desk = Desk::builder().without_worker().open().await;
    let resident = desk.stranger().await;
    let folder = desk.folder.path_of("private-uploads");
    let process = desk.watched("all", &[("SONGDA_UPLOADS", &folder)]).await;
    let api = process.api().await.with_token(resident.caller().token().unwrap());
    let id = upload(&api, photo(30, 20)).await.text("/id").unwrap();
    assert_eq!(shown(&api, &id).await.status.as_u16(), 200);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let root = Path::new(&folder);
    let files = files_in(root);
    assert_eq!((mode(root), files.len()), (0o700, 2));
    for file in files {
        assert_eq!((mode(file.parent().unwrap()), mode(&file)), (0o700, 0o600), "{}", file.display());
    }
    desk.finish().await;
    drop(process);
    desk.close().await;
}
