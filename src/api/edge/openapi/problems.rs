//! Which problems an operation can answer with follows from its shape: a token may be missing, an id may name nothing, a
//! body may be wrong. What a shape does not tell, the operation's return type does ([`ProblemOf`]). They are shared components; the codes of each come from the table in [`crate::api::edge::answers::code`].

use serde_json::{Map, Value, json};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::PROBLEM_JSON;
#[cfg(doc)]
use crate::api::edge::answers::problem_of::ProblemOf;

/// The shared problem answers: status, name among the components, what they say.
const ANSWERS: [(u16, &str, &str); 14] = [
    (400, "MalformedRequest", "请求不正确 The request cannot be read"),
    (401, "Unauthenticated", "需要登录 A valid access token is needed"),
    (403, "Forbidden", "没有权限 It is not allowed to the caller"),
    (404, "NotFound", "没有找到 There is no such thing, or not for the caller"),
    (409, "Conflict", "与当前状态冲突 It conflicts with the present state"),
    (412, "VersionStale", "版本已变 It was changed since the caller read it"),
    (413, "BodyTooLarge", "请求体过大 The body is too large"),
    (415, "UnsupportedMediaType", "内容类型不支持 The body's media type is not supported"),
    (422, "InvalidBody", "内容有误 The body does not hold what it should"),
    (428, "VersionRequired", "缺少条件 The condition is missing"),
    (429, "TooManyRequests", "过于频繁 Too many requests"),
    (500, "Internal", "内部错误 Something went wrong on our side"),
    (502, "GatewayFailed", "外部服务异常 A service that we depend on failed"),
    (503, "Unavailable", "暂不可用 Not available now"),
];

/// The statuses of an operation's problems.
fn statuses(method: &str, operation: &Value) -> Vec<u16> {
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let has = |place: &str| parameters.iter().any(|parameter| parameter["in"] == place);
    let named = |name: &str| parameters.iter().any(|parameter| parameter["name"] == name);
    let has_body = operation.get("requestBody").is_some();
    let writes = method != "get";
    let is_open = operation.get("security").is_none();
    let of_a_person =
        operation["security"].as_array().is_some_and(|any| any.iter().any(|by| by.get("person").is_some()));
    let rules: [(bool, &[u16]); 9] = [
        // What takes no token but writes is a sign-in, which may be refused.
        (!is_open || writes, &[401]),
        // Officers have roles and agencies, clients have scopes; people may do all that people may.
        (!is_open && !of_a_person, &[403]),
        (has("path"), &[404]),
        (has("query") || has("header") || has_body, &[400]),
        (has_body, &[413, 415, 422]),
        (named("Idempotency-Key"), &[409, 422]),
        (writes && !is_open && (has("path") || has_body), &[409]),
        (writes && named("If-Match"), &[412, 428]),
        (true, &[429, 500, 503]),
    ];
    let mut statuses: Vec<u16> =
        rules.iter().filter(|(holds, _)| *holds).flat_map(|(_, list)| list.iter().copied()).collect();
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

/// Adds the problems of an operation: those of its shape, and those that its return type names by their statuses.
pub(super) fn add(method: &str, operation: &mut Value) {
    let statuses = statuses(method, operation);
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for (status, name, _) in &ANSWERS {
        let answer = || json!({ "$ref": format!("#/components/responses/{name}") });
        match responses.get_mut(&status.to_string()) {
            Some(named) => *named = answer(),
            None if statuses.contains(status) => drop(responses.insert(status.to_string(), answer())),
            None => {}
        }
    }
}

/// The shared answers.
pub(super) fn components() -> Map<String, Value> {
    ANSWERS.iter().map(|(status, name, about)| ((*name).to_owned(), answer(*status, about))).collect()
}

fn answer(status: u16, about: &str) -> Value {
    let codes: Vec<_> = Code::ALL.iter().copied().filter(|code| code.status().as_u16() == status).collect();
    let words = codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ");
    let example = codes.first().map(|code| {
        let title = code.titles().zh;
        json!({ "type": code.uri(), "title": title, "status": status, "code": code.as_str(), "request_id": "req_01KAQ8Y7G0E00800000000002A" })
    });
    let content = json!({ "schema": { "$ref": "#/components/schemas/Problem" }, "example": example });
    let mut headers = super::finish::common_headers();
    for (header, statuses) in [("Retry-After", &[429, 503, 409][..]), ("WWW-Authenticate", &[401][..])] {
        if statuses.contains(&status) {
            headers.insert(header.to_owned(), json!({ "$ref": format!("#/components/headers/{header}") }));
        }
    }
    json!({ "description": format!("{about}: {words}"), "headers": headers, "content": { PROBLEM_JSON: content } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_tells_its_problems() {
        let open_list = json!({ "responses": {} });
        assert_eq!(statuses("get", &open_list), [429, 500, 503]);
        let decide = json!({
            "security": [{ "officer": [] }],
            "parameters": [
                { "name": "id", "in": "path" },
                { "name": "If-Match", "in": "header" },
                { "name": "Idempotency-Key", "in": "header" },
            ],
            "requestBody": {},
        });
        assert_eq!(statuses("post", &decide), [400, 401, 403, 404, 409, 412, 413, 415, 422, 428, 429, 500, 503]);
        let once = json!({ "parameters": [{ "name": "Idempotency-Key", "in": "header" }] });
        assert_eq!(statuses("post", &once), [400, 401, 409, 422, 429, 500, 503], "a key may belong to another request");
        let show =
            json!({ "parameters": [{ "name": "id", "in": "path" }, { "name": "If-None-Match", "in": "header" }] });
        assert_eq!(statuses("get", &show), [400, 404, 429, 500, 503]);
        let sign_in = json!({ "requestBody": {} });
        assert_eq!(statuses("post", &sign_in), [400, 401, 413, 415, 422, 429, 500, 503]);
        let add_address = json!({ "security": [{ "person": [] }], "requestBody": {} });
        assert_eq!(statuses("post", &add_address), [400, 401, 409, 413, 415, 422, 429, 500, 503]);
    }

    #[test]
    fn a_return_type_tells_what_the_shape_does_not() {
        let mut label = json!({ "responses": { "200": {}, "502": { "description": "" } } });
        add("get", &mut label);
        assert_eq!(label["responses"]["502"]["$ref"], "#/components/responses/GatewayFailed");
        assert_eq!(label["responses"]["200"], json!({}));
        assert!(label["responses"].get("404").is_none());
    }

    #[test]
    fn every_code_that_an_operation_may_give_has_a_shared_answer() {
        let framework_only = [Code::MethodNotAllowed, Code::AddressTooLong, Code::HeadersTooLarge];
        for code in Code::ALL.iter().filter(|code| !framework_only.contains(code)) {
            assert!(ANSWERS.iter().any(|(status, ..)| *status == code.status().as_u16()), "{code}");
        }
    }
}
