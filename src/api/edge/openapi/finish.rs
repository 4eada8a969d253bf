//! Corrects the OpenAPI document that poem-openapi generates (version, media types, header names), and adds what all
//! operations share: problems, common headers, conditional reads.

use poem_openapi::registry::Registry;
use poem_openapi::types::Type;
use serde_json::{Value, json};

use super::operations::{OperationRefMut, operations_mut};
use super::{closed, examples, headers, problems};
use crate::api::edge::answers::problem::ProblemBody;
use crate::api::edge::parameters::security::MARKS;

/// Returns the name and the description of the header that an argument with this name reads. Returns `None` for other
/// arguments.
fn header_of(argument: &str) -> Option<(&'static str, &'static str)> {
    match argument {
        "if_match" => Some((
            "If-Match",
            "上次读到的 ETag；过期则返回 412。 The ETag that was read last; if it is stale, the answer is 412.",
        )),
        "idempotency_key" => Some((
            "Idempotency-Key",
            "每个意图一个键，重试时不变。 One key per intent. A repeated request with the same key gets the first answer.",
        )),
        _ => None,
    }
}

pub(super) fn finish(document: &mut Value) {
    document["openapi"] = json!("3.0.3");
    document["info"]["license"] = json!({ "name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0" });
    for OperationRefMut { method, value: operation } in operations_mut(document) {
        remove_marks(operation);
        name_parameters(method, operation);
        tidy_bodies(operation);
        allow_conditional_read(method, operation);
        problems::add(method, operation);
        if operation.get("security").is_none() {
            operation["security"] = json!([]); // No token is needed, and the document says so.
        }
    }
    add_components(&mut document["components"]);
    closed::close(document);
    examples::add(document);
}

/// Removes the security schemes `anyone` and `sign_in_attempt` ([`MARKS`]). They are marks for the server itself, and
/// demand no token.
fn remove_marks(operation: &mut Value) {
    let Some(security) = operation.get_mut("security").and_then(Value::as_array_mut) else { return };
    security.retain(|schemes| !MARKS.iter().any(|mark| schemes.get(mark).is_some()));
    if security.is_empty() {
        drop_member(operation, "security");
    }
}

fn name_parameters(method: &str, operation: &mut Value) {
    let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) else { return };
    let mut may_create = false;
    for parameter in parameters.iter_mut() {
        if let Some((header, about)) = parameter["name"].as_str().and_then(header_of) {
            parameter["name"] = json!(header);
            parameter["description"] = json!(about);
            may_create |= method != "get" && header == "If-Match" && parameter["required"] == false;
        }
        if parameter["in"] == "path" || parameter["in"] == "header" {
            drop_member(parameter, "explode"); // It affects only lists and objects.
        }
        if parameter["deprecated"] == false {
            drop_member(parameter, "deprecated");
        }
    }
    if may_create {
        let about = "`*`：仅当尚不存在时创建。 `*`: only if the resource does not exist. It replaces If-Match.";
        parameters.push(header_parameter("If-None-Match", about, json!({ "type": "string", "enum": ["*"] })));
    }
}

fn header_parameter(name: &str, about: &str, schema: Value) -> Value {
    json!({ "name": name, "in": "header", "required": false, "description": about, "schema": schema })
}

fn tidy_bodies(operation: &mut Value) {
    if let Some(body) = operation.get_mut("requestBody") {
        tidy_content(body);
    }
    for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        tidy_content(response);
        tidy_headers(response);
        if response["description"] == "" {
            let status = status.parse().ok().and_then(|code| poem::http::StatusCode::from_u16(code).ok());
            let reason = status.and_then(|status| status.canonical_reason()).unwrap_or("An answer");
            response["description"] = json!(if reason == "OK" { "成功 · Success" } else { reason });
        }
    }
}

fn tidy_content(holder: &mut Value) {
    let Some(content) = holder.get_mut("content").and_then(Value::as_object_mut) else { return };
    let plain = |name: String| name.split(';').next().unwrap_or_default().trim().to_owned();
    *content = std::mem::take(content).into_iter().map(|(name, media)| (plain(name), media)).collect();
}

fn tidy_headers(response: &mut Value) {
    let own = response.get_mut("headers").and_then(Value::as_object_mut).map(std::mem::take).unwrap_or_default();
    let mut shown = headers::common();
    for (name, mut header) in own {
        if header["deprecated"] == false {
            drop_member(&mut header, "deprecated");
        }
        shown.insert(title_case(&name), header);
    }
    response["headers"] = Value::Object(shown);
}

/// Adds the header `If-None-Match` and the response 304 to a GET operation whose response is JSON or declares an ETag
/// itself.
fn allow_conditional_read(method: &str, operation: &mut Value) {
    let is_json = operation.pointer("/responses/200/content/application~1json").is_some();
    let Some(shown) = operation.pointer_mut("/responses/200/headers").and_then(Value::as_object_mut) else { return };
    if method == "get" && is_json {
        shown.entry("ETag").or_insert_with(|| headers::reference("ETag"));
    }
    if method != "get" || !shown.contains_key("ETag") {
        return;
    }
    let about =
        "已有内容的 ETag；未变则返回 304。 The ETag that the caller has; if nothing changed, the answer is 304.";
    let parameter = header_parameter("If-None-Match", about, json!({ "type": "string" }));
    match operation.get_mut("parameters").and_then(Value::as_array_mut) {
        Some(parameters) => parameters.push(parameter),
        None => operation["parameters"] = json!([parameter]),
    }
    let mut unchanged = headers::common();
    unchanged.insert("ETag".to_owned(), headers::reference("ETag"));
    operation["responses"]["304"] = json!({ "description": "未变 · Not modified", "headers": unchanged });
}

fn add_components(components: &mut Value) {
    let mut registry = Registry::new();
    ProblemBody::register(&mut registry);
    for (name, schema) in registry.schemas {
        components["schemas"][name] = json!(schema);
    }
    components["responses"] = Value::Object(problems::components());
    components["headers"] = Value::Object(headers::components());
}

fn drop_member(value: &mut Value, name: &str) {
    if let Some(members) = value.as_object_mut() {
        members.remove(name);
    }
}

/// Formats a header name as people write it: `RETRY-AFTER` → `Retry-After`.
fn title_case(name: &str) -> String {
    match name.to_ascii_lowercase().as_str() {
        "etag" => "ETag".to_owned(),
        "www-authenticate" => "WWW-Authenticate".to_owned(),
        lower => lower.split('-').map(capital).collect::<Vec<_>>().join("-"),
    }
}

fn capital(part: &str) -> String {
    let mut letters = part.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_written_as_people_write_them() {
        assert_eq!(["RETRY-AFTER", "ETAG", "location"].map(title_case), ["Retry-After", "ETag", "Location"]);
    }
}
