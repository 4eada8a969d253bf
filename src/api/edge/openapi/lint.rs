//! Checks the rules for our OpenAPI documents: one path belongs to one `impl`, and every operation has an id, a summary
//! in Chinese and English, one tag, a caller, header names as people write them, and examples without nulls.

use std::collections::HashSet;

use poem::http::Method;
use poem_openapi::registry::{MetaApi, MetaOperation};
use serde_json::Value;

use super::examples;
use super::operations::{OperationRef, operations};
use crate::api::edge::parameters::security::MARKS;

/// Operations that write, need no token, and are exempt from the rate limit of attempts to sign in. The refresh of a
/// session is exempt, because a refresh token cannot be guessed, and because that rate limit counts by network address,
/// which many phones of a mobile network share.
const OPEN_WRITES: [&str; 1] = ["refresh_session"];

/// Checks three rules that cannot be checked on the finished document. No path belongs to two `impl`s, because the
/// document would contain only one of them. Every operation names its caller. An operation that writes without a token
/// is an attempt to sign in, unless it is in [`OPEN_WRITES`].
pub(super) fn faults_of_paths(apis: &[MetaApi]) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut faults = Vec::new();
    for path in apis.iter().flat_map(|api| &api.paths) {
        if !seen.insert(&path.path) {
            faults.push(format!("{} belongs to two implementations", path.path));
        }
        for operation in &path.operations {
            let fault = fault_of_caller(operation);
            faults.extend(fault.map(|fault| format!("{} {}: {fault}", operation.method, path.path)));
        }
    }
    faults
}

fn fault_of_caller(operation: &MetaOperation) -> Option<&'static str> {
    let [anyone, _] = MARKS;
    let callers: Vec<&str> = operation.security.iter().flat_map(|schemes| schemes.keys().copied()).collect();
    let id = operation.operation_id.unwrap_or_default();
    let is_known = operation.method == Method::GET || OPEN_WRITES.contains(&id);
    match callers.as_slice() {
        [] => Some("it names no caller: take a Person, …, Anyone or SignInAttempt as an argument"),
        [only] if *only == anyone && !is_known => {
            Some("it writes without a token: take a SignInAttempt, or list it in edge::openapi::lint")
        }
        _ => None,
    }
}

/// Lists every rule that a finished document breaks.
pub(super) fn faults_of_document(document: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    if !document["info"]["title"].as_str().is_some_and(is_bilingual) {
        faults.push("the title is not `中文 · English`".to_owned());
    }
    for tag in document["tags"].as_array().into_iter().flatten() {
        if !tag["description"].as_str().is_some_and(is_bilingual) {
            faults.push(format!("the tag {} is not described as `中文 · English`", tag["name"]));
        }
    }
    let mut ids = HashSet::new();
    for OperationRef { path, method, value } in operations(document) {
        let id = value["operationId"].as_str().unwrap_or_default();
        let found = [faults_of(value), misnamed(path, value), faults_of_examples(value)];
        faults.extend(found.into_iter().flatten().map(|fault| format!("{method} {path}: {fault}")));
        if !ids.insert(id) {
            faults.push(format!("{method} {path}: another operation has the id {id:?}"));
        }
    }
    faults
}

/// True for a text like `提交申请 · Submit an application`, on one line.
fn is_bilingual(text: &str) -> bool {
    let is_chinese = |text: &str| text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
    text.split_once(" · ").is_some_and(|(chinese, english)| {
        is_chinese(chinese)
            && !is_chinese(english)
            && english.starts_with(|letter: char| letter.is_ascii_uppercase())
            && !text.contains('\n')
            && !text.ends_with('.')
    })
}

fn faults_of(operation: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut demand = |holds: bool, fault: &str| {
        if !holds {
            faults.push(fault.to_owned());
        }
    };
    demand(operation["operationId"].is_string(), "it has no operation_id");
    let is_summed_up = operation["summary"].as_str().is_some_and(is_bilingual);
    demand(is_summed_up, "its summary, the first line of its doc comment, is not `中文 · English`");
    demand(operation["tags"].as_array().is_some_and(|tags| tags.len() == 1), "it must have one tag");
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default();
        let is_sound = parameter["in"] != "header" || !name.contains('_');
        demand(is_sound, &format!("the header {name} needs #[oai(name = \"…\")]"));
        let is_shown = parameter.get("example").is_some();
        demand(is_shown, &format!("the parameter {name} has no example: add one in edge::openapi::examples"));
    }
    faults
}

/// Lists the path parameters whose argument name does not appear in the path.
fn misnamed(path: &str, operation: &Value) -> Vec<String> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let names =
        parameters.filter(|parameter| parameter["in"] == "path").filter_map(|parameter| parameter["name"].as_str());
    let strays = names.filter(|name| !path.contains(&format!("{{{name}}}")));
    strays.map(|name| format!("its argument {name} has another name in the path")).collect()
}

fn faults_of_examples(operation: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let bodies = operation["responses"].as_object().into_iter().flatten();
    let bodies = bodies.map(|(status, body)| (status.as_str(), body)).chain([("request", &operation["requestBody"])]);
    for (place, body) in bodies {
        for (kind, media) in body["content"].as_object().into_iter().flatten() {
            let example = media.get("example");
            if example.is_none() && examples::is_shown(kind) {
                faults.push(format!("the body of {place} has no example: give its type #[oai(example)]"));
            }
            if example.is_some_and(holds_null) {
                faults.push(format!("the body of {place} holds a null: its type needs skip_serializing_if_is_none"));
            }
        }
    }
    faults
}

/// True if an example contains a null. Our schemas are not `nullable`: an unknown value is absent.
fn holds_null(example: &Value) -> bool {
    match example {
        Value::Null => true,
        Value::Array(items) => items.iter().any(holds_null),
        Value::Object(members) => members.values().any(holds_null),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use poem_openapi::OpenApi;

    use super::*;
    use crate::api::edge::parameters::security::{Anyone, SignInAttempt};

    struct Sample;

    #[OpenApi]
    impl Sample {
        #[oai(path = "/forgotten", method = "get", operation_id = "forgotten")]
        async fn forgotten(&self) {}

        #[oai(path = "/read", method = "get", operation_id = "read")]
        async fn read(&self, _anyone: Anyone) {}

        #[oai(path = "/write", method = "post", operation_id = "write")]
        async fn write(&self, _anyone: Anyone) {}

        #[oai(path = "/attempt", method = "post", operation_id = "attempt")]
        async fn attempt(&self, _attempt: SignInAttempt) {}

        #[oai(path = "/refresh", method = "post", operation_id = "refresh_session")]
        async fn refresh(&self, _anyone: Anyone) {}
    }

    #[test]
    fn an_operation_without_a_token_says_so_and_is_limited_as_an_attempt_if_it_writes() {
        let faults = faults_of_paths(&Sample::meta());
        let names: Vec<&str> = faults.iter().filter_map(|fault| fault.split(':').next()).collect();
        assert_eq!(names, ["GET /forgotten", "POST /write"], "{faults:?}");
    }

    #[test]
    fn a_summary_is_chinese_and_english_on_one_line() {
        assert!(is_bilingual("提交申请 · Submit an application"));
        for wrong in ["Submit", "提交申请", "提交申请 Submit", "提交 · 申请", "提交 · Submit\nagain", "Submit · 提交"]
        {
            assert!(!is_bilingual(wrong), "{wrong}");
        }
    }
}
