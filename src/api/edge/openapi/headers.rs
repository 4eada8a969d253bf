//! The response headers in the OpenAPI documents. Operations refer to them as shared components.

use serde_json::{Map, Value, json};

struct Header {
    name: &'static str,
    about: &'static str,
    example: &'static str,
}

const fn header(name: &'static str, about: &'static str, example: &'static str) -> Header {
    Header { name, about, example }
}

/// Headers of every response.
const COMMON: [Header; 3] = [
    header("X-Request-Id", "The request's id, as in our logs", "req_01KAQ8Y7G0E00800000000002A"),
    header(
        "RateLimit",
        "The rest of the caller's quota, and the seconds until it is whole again",
        "\"mobile\";r=599;t=1",
    ),
    header("RateLimit-Policy", "The caller's quota and its window in seconds", "\"mobile\";q=600;w=60"),
];

/// Headers of some responses.
const OF_SOME: [Header; 3] = [
    header("ETag", "The tag of this representation, for If-None-Match", "\"0f3a5d0c7b1e4f6a8c9d0e1f2a3b4c5d\""),
    header("Retry-After", "Seconds to wait before the next try", "1"),
    header("WWW-Authenticate", "The authentication that is needed (RFC 6750)", "Bearer realm=\"songda\""),
];

/// Returns a reference to a shared header.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{name}") })
}

/// Returns references to the headers of every response.
pub(super) fn common() -> Map<String, Value> {
    COMMON.iter().map(|header| (header.name.to_owned(), reference(header.name))).collect()
}

pub(super) fn components() -> Map<String, Value> {
    let schema = |header: &Header| json!({ "type": "string", "example": header.example });
    let component = |header: &Header| json!({ "description": header.about, "schema": schema(header) });
    COMMON.iter().chain(&OF_SOME).map(|header| (header.name.to_owned(), component(header))).collect()
}
