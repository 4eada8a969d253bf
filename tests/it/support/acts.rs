//! Single calls that residents and officers make about a case. A test uses them if it asserts something about a call or
//! its answer. If all calls just have to succeed, [`super::journey`] makes them in one line.

use reqwest::multipart::Part;
use serde_json::{Value, json};
use songda::demo::fresh_key;
use songda::demo::http::{Caller, Reply};
use songda::domain::kernel::clock::fresh;
use songda::domain::kernel::ids::DraftId;

use super::desk::Desk;

/// Returns the path of a draft that does not exist yet.
pub fn fresh_draft() -> String {
    format!("/v1/drafts/{}", fresh(DraftId::from_uuid))
}

/// Returns a draft in which nothing but the item is filled in.
pub fn begun(item: &str) -> Value {
    json!({"item_code": item, "form": {}, "materials": []})
}

/// A resident submits a draft under an idempotency key.
pub async fn submit(resident: &Caller, draft: &str, key: &str) -> Reply {
    resident.post("/v1/cases").once(key).json(&json!({"draft": draft})).answer().await.unwrap()
}

/// A resident uploads a file.
pub async fn upload(resident: &Caller, content: impl Into<Vec<u8>>) -> Reply {
    let part = Part::bytes(content.into()).file_name("scan.pdf").mime_str("application/pdf").unwrap();
    resident.post("/v1/uploads").file(part).answer().await.unwrap()
}

/// Counts the files in the uploads folder, whether the database has a row for them or not.
pub fn stored_contents(desk: &Desk) -> usize {
    let Ok(days) = std::fs::read_dir(desk.folder.join("uploads")) else { return 0 };
    days.map(|day| std::fs::read_dir(day.unwrap().path()).unwrap().count()).sum()
}

/// A resident corrects the address to which the result of a case goes.
pub async fn correct_delivery(resident: &Caller, case: &str, address: &str, if_match: &str) -> Reply {
    let call = resident.put(&format!("/v1/cases/{case}/delivery")).if_match(if_match).once(&fresh_key());
    call.json(&json!({"address": address})).answer().await.unwrap()
}

/// An officer acts on the present version of a case. `act` is the last part of the path: `acceptance`,
/// `supplement-notice` or `decision`.
pub async fn act(officer: &Caller, case: &str, act: &str, body: &Value) -> Reply {
    let path = format!("/staff/v1/cases/{case}");
    let read = officer.get(&path).success().await.unwrap();
    let call = officer.post(&format!("{path}/{act}")).if_match(read.etag()).once(&fresh_key());
    call.json(body).answer().await.unwrap()
}

/// Returns the body of a decision that grants.
pub fn grant() -> Value {
    json!({"outcome": "grant", "result": {"title": "居住证"}})
}

/// Returns the body of a decision that denies.
pub fn deny() -> Value {
    json!({"outcome": "deny", "reasons": "居住不满半年"})
}

/// Returns the body of a supplement notice.
pub fn notice() -> Value {
    json!({"points": ["缺少居住证明"]})
}

/// Returns a case's history: the kind of actor, the act, and its cause.
pub async fn history(officer: &Caller, case: &str) -> Vec<(String, String, Value)> {
    let read = officer.get(&format!("/staff/v1/cases/{case}/history")).success().await.unwrap();
    let text = |entry: &Value, member: &str| entry[member].as_str().unwrap().to_owned();
    let kind = |entry: &Value| text(entry, "by").split(':').next().unwrap().to_owned();
    read.rows().unwrap().iter().map(|entry| (kind(entry), text(entry, "act"), entry["cause"].clone())).collect()
}
