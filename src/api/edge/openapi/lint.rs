//! The rules of our documents: one path, one implementation; every operation has an id, a summary, one tag, a token
//! unless it is listed as open, header names as people write them, and an example of every parameter and JSON body, in which
//! nothing is null.

use std::collections::HashSet;

use poem_openapi::registry::MetaApi;
use serde_json::Value;

use super::{examples, operations};

/// Paths that two implementations share: one of them would vanish from the document.
pub(super) fn duplicates(apis: &[MetaApi]) -> Vec<String> {
    let mut seen = HashSet::new();
    let paths = apis.iter().flat_map(|api| &api.paths).map(|path| &path.path);
    paths.filter(|path| !seen.insert(*path)).map(|path| format!("{path} belongs to two implementations")).collect()
}

/// Every rule that a finished document breaks.
pub(super) fn faults(document: &Value, open: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut ids = HashSet::new();
    for (path, method, operation) in operations(document) {
        let id = operation["operationId"].as_str().unwrap_or_default();
        for fault in faults_of(operation, id, open).into_iter().chain(misnamed(path, operation)) {
            faults.push(format!("{method} {path}: {fault}"));
        }
        if !ids.insert(id) {
            faults.push(format!("{method} {path}: its id {id:?} is not its own"));
        }
    }
    for id in open.iter().filter(|id| !ids.contains(*id)) {
        faults.push(format!("{id} is listed as open, but there is no such operation"));
    }
    faults
}

/// Whether something in an example is null. What we do not know is absent: no schema of ours says `nullable`.
fn holds_null(example: &Value) -> bool {
    match example {
        Value::Null => true,
        Value::Array(items) => items.iter().any(holds_null),
        Value::Object(members) => members.values().any(holds_null),
        _ => false,
    }
}

/// Path parameters that are called otherwise in the path.
fn misnamed(path: &str, operation: &Value) -> Vec<String> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let names =
        parameters.filter(|parameter| parameter["in"] == "path").filter_map(|parameter| parameter["name"].as_str());
    let strays = names.filter(|name| !path.contains(&format!("{{{name}}}")));
    strays.map(|name| format!("its argument {name} is called otherwise in the path")).collect()
}

fn faults_of(operation: &Value, id: &str, open: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut demand = |holds: bool, fault: &str| {
        if !holds {
            faults.push(fault.to_owned());
        }
    };
    demand(!id.is_empty(), "it has no operation_id");
    demand(operation["summary"].is_string(), "it has no summary: write a doc comment");
    demand(operation["tags"].as_array().is_some_and(|tags| tags.len() == 1), "it must have one tag");
    let has_token = operation["security"].as_array().is_some_and(|security| !security.is_empty());
    demand(has_token || open.contains(&id), "it takes no token, and is not listed as open");
    demand(!has_token || !open.contains(&id), "it takes a token, and is listed as open");
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default();
        let is_sound = parameter["in"] != "header" || !name.contains('_');
        demand(is_sound, &format!("the header {name} needs #[oai(name = \"…\")]"));
        let is_shown = parameter.get("example").is_some();
        demand(is_shown, &format!("the parameter {name} has no example: name one in edge::openapi::examples"));
    }
    let bodies = operation["responses"].as_object().into_iter().flatten();
    let bodies = bodies.map(|(status, body)| (status.as_str(), body)).chain([("request", &operation["requestBody"])]);
    for (place, body) in bodies {
        for (kind, media) in body["content"].as_object().into_iter().flatten() {
            let is_shown = !examples::is_shown(kind) || media.get("example").is_some();
            demand(is_shown, &format!("the body of {place} has no example: give its type #[oai(example)]"));
            let is_sound = !media.get("example").is_some_and(holds_null);
            demand(is_sound, &format!("the body of {place} holds a null: its type needs skip_serializing_if_is_none"));
        }
    }
    faults
}
