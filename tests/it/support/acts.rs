//! What tests about cases ask for in the same way.

use serde_json::{Value, json};
use songda::demo::fresh_key;
use songda::demo::http::{Caller, Reply};

/// An officer acts on a case as it is now.
pub async fn act(officer: &Caller, case: &str, act: &str, body: &Value) -> Reply {
    let path = format!("/staff/v1/cases/{case}");
    let read = officer.get(&path).success().await.unwrap();
    let call = officer.post(&format!("{path}/{act}")).if_match(read.etag()).once(&fresh_key());
    call.json(body).answer().await.unwrap()
}

/// A resident corrects where the result of a case goes.
pub async fn correct_delivery(resident: &Caller, case: &str, address: &str, if_match: &str) -> Reply {
    let call = resident.put(&format!("/v1/cases/{case}/delivery")).if_match(if_match).once(&fresh_key());
    call.json(&json!({"address": address})).answer().await.unwrap()
}

/// An answer is this problem.
pub fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status.as_u16(), reply.body["code"].as_str()), (status, Some(code)), "{}", reply.body);
}

/// The places of all that is wrong with a body, with a word for each fault.
pub fn faults(reply: &Reply) -> Vec<(&str, &str)> {
    let errors = reply.body["errors"].as_array().unwrap_or_else(|| panic!("no fault: {}", reply.body));
    errors.iter().map(|fault| (fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap())).collect()
}
