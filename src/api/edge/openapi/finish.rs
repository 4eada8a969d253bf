//! Corrects the form of what poem-openapi writes: version 3.0.3, no charset in JSON's media type, header names as people
//! write them; and adds what all operations share: problems, common headers, conditional reads.

use poem_openapi::registry::Registry;
use poem_openapi::types::Type;
use serde_json::{Map, Value, json};

use super::{closed, examples, operations_mut, problems};
use crate::api::edge::answers::problem::ProblemBody;

/// Headers of every answer.
const COMMON: [(&str, &str, &str); 3] = [
    ("X-Request-Id", "The request's id, as our logs name it", "req_01KAQ8Y7G0E00800000000002A"),
    ("RateLimit", "What is left of the caller's quota, and when it is full again", "\"mobile\";r=599;t=1"),
    ("RateLimit-Policy", "The caller's quota and its window in seconds", "\"mobile\";q=600;w=60"),
];

/// Headers of some answers.
const OF_SOME: [(&str, &str, &str); 3] = [
    ("ETag", "Names what was read, for If-None-Match", "\"0f3a5d0c7b1e4f6a8c9d0e1f2a3b4c5d\""),
    ("Retry-After", "Seconds to wait before trying again", "1"),
    ("WWW-Authenticate", "What is asked for (RFC 6750)", "Bearer realm=\"songda\""),
];

/// Header parameters that several operations take: as an argument is called, as it is written, what it means.
const PARAMETERS: [(&str, &str, &str); 2] = [
    (
        "if_match",
        "If-Match",
        "上次读到的 ETag；过期则返回 412。 The ETag as last read; if it is stale, the answer is 412.",
    ),
    (
        "idempotency_key",
        "Idempotency-Key",
        "每个意图一个键，重试时不变。 One key per intent, the same when trying again; the first answer is given again.",
    ),
];

/// Finishes a document.
pub(super) fn finish(document: &mut Value) {
    document["openapi"] = json!("3.0.3");
    document["info"]["license"] = json!({ "name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0" });
    for (_, method, operation) in operations_mut(document) {
        name_parameters(method, operation);
        tidy_bodies(operation);
        allow_conditional_read(method, operation);
        problems::add(method, operation);
        if operation.get("security").is_none() {
            operation["security"] = json!([]); // It says that no token is needed, where silence could mean forgotten.
        }
    }
    add_components(&mut document["components"]);
    closed::close(document);
    examples::add(document);
}

fn name_parameters(method: &str, operation: &mut Value) {
    let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) else { return };
    let mut may_create = false;
    for parameter in parameters.iter_mut() {
        for (argument, name, about) in PARAMETERS {
            if parameter["name"] == argument {
                parameter["name"] = json!(name);
                parameter["description"] = json!(about);
                may_create |= method != "get" && name == "If-Match" && parameter["required"] == false;
            }
        }
        if parameter["in"] == "path" || parameter["in"] == "header" {
            drop_member(parameter, "explode"); // It says the default.
        }
        if parameter["deprecated"] == false {
            drop_member(parameter, "deprecated");
        }
    }
    if may_create {
        let about = "`*`：仅当尚不存在时创建。 `*`: only if it is not there yet. It takes the place of If-Match.";
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
            response["description"] = json!(status.and_then(|status| status.canonical_reason()).unwrap_or("An answer"));
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
    let mut headers = common_headers();
    for (name, mut header) in own {
        if header["deprecated"] == false {
            drop_member(&mut header, "deprecated");
        }
        headers.insert(title_case(&name), header);
    }
    response["headers"] = Value::Object(headers);
}

/// References to the headers of every answer.
pub(super) fn common_headers() -> Map<String, Value> {
    let reference = |name: &str| json!({ "$ref": format!("#/components/headers/{name}") });
    COMMON.iter().map(|(name, ..)| ((*name).to_owned(), reference(name))).collect()
}

/// A read can be asked for only if it changed. Files have tags of their own; streams have none.
fn allow_conditional_read(method: &str, operation: &mut Value) {
    let is_json = operation.pointer("/responses/200/content/application~1json").is_some();
    let Some(headers) = operation.pointer_mut("/responses/200/headers").and_then(Value::as_object_mut) else { return };
    if method == "get" && is_json {
        headers.entry("ETag").or_insert_with(|| json!({ "$ref": "#/components/headers/ETag" }));
    }
    if method != "get" || !headers.contains_key("ETag") {
        return;
    }
    let about =
        "已有内容的 ETag；未变则返回 304。 The ETag of what the caller has; if it is unchanged, the answer is 304.";
    let parameter = header_parameter("If-None-Match", about, json!({ "type": "string" }));
    match operation.get_mut("parameters").and_then(Value::as_array_mut) {
        Some(parameters) => parameters.push(parameter),
        None => operation["parameters"] = json!([parameter]),
    }
    let mut headers = common_headers();
    headers.insert("ETag".to_owned(), json!({ "$ref": "#/components/headers/ETag" }));
    operation["responses"]["304"] = json!({ "description": "未变 Not modified", "headers": headers });
}

fn add_components(components: &mut Value) {
    let mut registry = Registry::new();
    ProblemBody::register(&mut registry);
    for (name, schema) in registry.schemas {
        components["schemas"][name] = json!(schema);
    }
    components["responses"] = Value::Object(problems::components());
    for (name, about, example) in COMMON.into_iter().chain(OF_SOME) {
        components["headers"][name] =
            json!({ "description": about, "schema": { "type": "string", "example": example } });
    }
}

fn drop_member(value: &mut Value, name: &str) {
    if let Some(members) = value.as_object_mut() {
        members.remove(name);
    }
}

/// `RETRY-AFTER` → `Retry-After`.
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
