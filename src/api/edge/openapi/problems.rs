//! Derives the problem responses (errors) of an operation from its parameters: a token can be missing, an id can be
//! unknown, a body can be invalid. The return type adds further problems ([`ProblemOf`]). The responses are shared
//! components. Their codes come from the table in [`crate::api::edge::answers::code`].

use serde_json::{Map, Value, json};

use super::headers;
use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::PROBLEM_JSON;
#[cfg(doc)]
use crate::api::edge::answers::problem_of::ProblemOf;

/// A problem response that operations refer to as a shared component.
struct ProblemAnswer {
    status: u16,
    /// The name of the component.
    name: &'static str,
    about: &'static str,
}

const fn answer(status: u16, name: &'static str, about: &'static str) -> ProblemAnswer {
    ProblemAnswer { status, name, about }
}

const ANSWERS: [ProblemAnswer; 15] = [
    answer(400, "MalformedRequest", "请求不正确 · The request cannot be read"),
    answer(401, "Unauthenticated", "需要登录 · A valid access token is needed"),
    answer(403, "Forbidden", "没有权限 · The caller may not do this"),
    answer(404, "NotFound", "没有找到 · It does not exist, or not for the caller"),
    answer(409, "Conflict", "与当前状态冲突 · The request conflicts with the current state"),
    answer(412, "VersionStale", "版本已变 · The resource has changed since the caller read it"),
    answer(413, "BodyTooLarge", "请求体过大 · The body is too large"),
    answer(415, "UnsupportedMediaType", "内容类型不支持 · The media type of the body is not supported"),
    answer(416, "RangeNotSatisfiable", "范围超出文件 · The file has none of the requested bytes"),
    answer(422, "InvalidBody", "内容有误 · The body is not valid"),
    answer(428, "VersionRequired", "缺少条件 · The condition is missing"),
    answer(429, "TooManyRequests", "过于频繁 · Too many requests"),
    answer(500, "Internal", "内部错误 · Internal error"),
    answer(502, "GatewayFailed", "外部服务异常 · An external service failed"),
    answer(503, "Unavailable", "暂不可用 · Temporarily unavailable"),
];

/// Derives the status codes of an operation's problems.
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
        // An operation that writes without a token belongs to the sign-in, so it can also fail with 401.
        (!is_open || writes, &[401]),
        // The officer can lack a role, and the back-office client can lack a scope. All people have the same rights.
        (!is_open && !of_a_person, &[403]),
        (has("path"), &[404]),
        (has_body, &[413, 415, 422]),
        (named("Idempotency-Key"), &[409, 422]),
        (writes && !is_open && (has("path") || has_body), &[409]),
        (writes && named("If-Match"), &[412, 428]),
        (named("Range"), &[416]),
        // Any request can be malformed, for example by a second token.
        (true, &[400, 429, 500, 503]),
    ];
    let mut statuses: Vec<u16> =
        rules.iter().filter(|(holds, _)| *holds).flat_map(|(_, list)| list.iter().copied()).collect();
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

/// Adds the problem responses that follow from the parameters. The return type names further problems by status only;
/// their responses become references to the shared components.
pub(super) fn add(method: &str, operation: &mut Value) {
    let statuses = statuses(method, operation);
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for ProblemAnswer { status, name, .. } in &ANSWERS {
        let reference = || json!({ "$ref": format!("#/components/responses/{name}") });
        match responses.get_mut(&status.to_string()) {
            Some(named) => *named = reference(),
            None if statuses.contains(status) => drop(responses.insert(status.to_string(), reference())),
            None => {}
        }
    }
}

pub(super) fn components() -> Map<String, Value> {
    ANSWERS.iter().map(|answer| (answer.name.to_owned(), component(answer))).collect()
}

fn component(answer: &ProblemAnswer) -> Value {
    let ProblemAnswer { status, about, .. } = *answer;
    let codes: Vec<_> = Code::ALL.iter().copied().filter(|code| code.status().as_u16() == status).collect();
    let words = codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ");
    let example = codes.first().map(|code| {
        let title = code.titles().zh;
        json!({ "type": code.uri(), "title": title, "status": status, "code": code.as_str(), "request_id": "req_01KAQ8Y7G0E00800000000002A" })
    });
    let content = json!({ "schema": { "$ref": "#/components/schemas/Problem" }, "example": example });
    let mut shown = headers::common();
    for (header, statuses) in [("Retry-After", &[429, 503, 409][..]), ("WWW-Authenticate", &[401][..])] {
        if statuses.contains(&status) {
            shown.insert(header.to_owned(), headers::reference(header));
        }
    }
    json!({ "description": format!("{about}: {words}"), "headers": shown, "content": { PROBLEM_JSON: content } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_problems_follow_from_the_shape() {
        let open_list = json!({ "responses": {} });
        assert_eq!(statuses("get", &open_list), [400, 429, 500, 503]);
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
    fn a_return_type_adds_problems_that_the_shape_does_not_show() {
        let mut label = json!({ "responses": { "200": {}, "502": { "description": "" } } });
        add("get", &mut label);
        assert_eq!(label["responses"]["502"]["$ref"], "#/components/responses/GatewayFailed");
        assert_eq!(label["responses"]["200"], json!({}));
        assert!(label["responses"].get("404").is_none());
    }

    #[test]
    fn every_code_of_an_operation_has_a_shared_answer() {
        let framework_only = [Code::MethodNotAllowed, Code::AddressTooLong, Code::HeadersTooLarge];
        for code in Code::ALL.iter().filter(|code| !framework_only.contains(code)) {
            assert!(ANSWERS.iter().any(|answer| answer.status == code.status().as_u16()), "{code}");
        }
    }
}
