//! Helpers for tests of the HTTP edge: tokens of every kind of caller, and answers of routes that are called in this
//! process.

use poem::http::{HeaderMap, StatusCode};
use poem::test::TestResponse;
use serde_json::Value;
use songda::auth::signing_keys::SigningKeys;
use songda::auth::tokens::{Grant, TokenAudience, Tokens};
use songda::domain::kernel::clock::{Instant, fresh};
use songda::domain::kernel::ids::{ClientId, OfficerId, PersonId, SessionId};

/// Returns the fixed time at which tests without a database run.
pub fn now() -> Instant {
    "2026-11-23T08:00:00Z".parse().unwrap()
}

/// Tokens signed by a fresh key.
pub fn tokens() -> Tokens {
    Tokens::new(SigningKeys::of([("test".to_owned(), SigningKeys::fresh_pem().unwrap())]).unwrap())
}

/// Issues a token to a new caller. `scheme` is the name of a security scheme in the OpenAPI documents.
pub fn token(tokens: &Tokens, scheme: &str, at: Instant) -> String {
    let officer = |role: &str| Grant {
        sid: Some(fresh(SessionId::from_uuid)),
        agency: Some("gxj".to_owned()),
        role: Some(role.to_owned()),
        ..Grant::default()
    };
    let (subject, audience, grant) = match scheme {
        "person" => {
            let grant = Grant { sid: Some(fresh(SessionId::from_uuid)), ..Grant::default() };
            (fresh(PersonId::from_uuid).to_string(), TokenAudience::Mobile, grant)
        }
        "officer" => (fresh(OfficerId::from_uuid).to_string(), TokenAudience::Staff, officer("officer")),
        "operator" => (fresh(OfficerId::from_uuid).to_string(), TokenAudience::Staff, officer("operator")),
        "client" => {
            let grant = Grant { scope: Some("results:write results:read".to_owned()), ..Grant::default() };
            (fresh(ClientId::from_uuid).to_string(), TokenAudience::Integration, grant)
        }
        other => panic!("no such scheme: {other}"),
    };
    tokens.issue(subject, audience, grant, at).unwrap()
}

/// An answer, read to its end.
pub struct Read {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Read {
    pub async fn of(response: TestResponse) -> Self {
        let (parts, body) = response.0.into_parts();
        let body = String::from_utf8_lossy(&body.into_vec().await.unwrap()).into_owned();
        Self { status: parts.status, headers: parts.headers, body }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Asserts that the answer is a complete problem with this status and code. `about` names the request.
    #[track_caller]
    pub fn assert_problem(&self, status: u16, code: &str, about: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{about}: {}", self.body);
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{about}");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{about}: {problem}");
        assert_eq!(problem["status"], status, "{about}");
        assert_eq!(problem["type"], format!("/problems/{code}"), "{about}");
        assert_eq!(problem["request_id"].as_str(), self.header("x-request-id"), "{about}");
        assert!(problem["title"].is_string(), "{about}");
        problem
    }
}
