//! The headers of answers, which operations refer to as shared components.

use serde_json::{Map, Value, json};

struct Header {
    name: &'static str,
    about: &'static str,
    example: &'static str,
}

/// Headers of every answer.
const COMMON: [Header; 3] = [
    Header {
        name: "X-Request-Id",
        about: "The request's id, as in our logs",
        example: "req_01KAQ8Y7G0E00800000000002A",
    },
    Header {
        name: "RateLimit",
        about: "The rest of the caller's quota, and the seconds until it is whole again",
        example: "\"mobile\";r=599;t=1",
    },
    Header {
        name: "RateLimit-Policy",
        about: "The caller's quota and its window in seconds",
        example: "\"mobile\";q=600;w=60",
    },
];

/// Headers of some answers.
const OF_SOME: [Header; 3] = [
    Header {
        name: "ETag",
        about: "The tag of this representation, for If-None-Match",
        example: "\"0f3a5d0c7b1e4f6a8c9d0e1f2a3b4c5d\"",
    },
    Header { name: "Retry-After", about: "Seconds to wait before the next try", example: "1" },
    Header {
        name: "WWW-Authenticate",
        about: "The authentication that is needed (RFC 6750)",
        example: "Bearer realm=\"songda\"",
    },
];

/// A reference to a shared header.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{name}") })
}

/// References to the headers of every answer.
pub(super) fn common() -> Map<String, Value> {
    COMMON.iter().map(|header| (header.name.to_owned(), reference(header.name))).collect()
}

pub(super) fn components() -> Map<String, Value> {
    let schema = |header: &Header| json!({ "type": "string", "example": header.example });
    let component = |header: &Header| json!({ "description": header.about, "schema": schema(header) });
    COMMON.iter().chain(&OF_SOME).map(|header| (header.name.to_owned(), component(header))).collect()
}
