//! The edge, from outside: what holds for every operation is tested by walking the documents, and what an operation of
//! each shape does is tested on an API of its own.

mod documents;
mod every_operation;
mod every_read;
mod idempotency;
mod populated;
mod rate_limit;
mod request_log;
mod sample;
mod shapes;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use poem::http::{HeaderMap, StatusCode};
use poem::test::TestClient;
use poem::{Endpoint, Response};
use serde_json::Value;
use songda::api::edge::limits::buckets::Buckets;
use songda::api::edge::limits::rate_limit::{LimitRate, Policies};
use songda::api::edge::middleware::cors::Origins;
use songda::api::edge::parameters::bearer::{Desks, Identify, Officer};
use songda::api::{Edge, allowed, pages as pages_of, surround};
use songda::auth::signing_keys::SigningKeys;
use songda::auth::tokens::{Grant, TokenAudience, Tokens};
use songda::demo::fresh_key;
use songda::domain::kernel::clock::{Clock, Instant, fresh};
use songda::domain::kernel::ids::{ClientId, OfficerId, PersonId, SessionId};
use songda::env::Env;
use songda::queue::Queue;

use songda::store::StoreError;

use crate::support::servers::Servers;

pub fn now() -> Instant {
    "2026-11-23T08:00:00Z".parse().unwrap()
}

pub fn tokens() -> Tokens {
    Tokens::new(SigningKeys::of([("test".to_owned(), SigningKeys::fresh_pem().unwrap())]).unwrap())
}

/// There is no record here to say more of an officer than the token does.
struct AsNamed;

#[async_trait]
impl Desks for AsNamed {
    async fn officer(&self, named: &Officer) -> Result<Option<Officer>, StoreError> {
        Ok(Some(named.clone()))
    }
}

/// An edge at a standing clock, with settings beside the defaults. Its callers are counted in the shared Redis, under a prefix of their own.
fn edge(tokens: &Tokens, settings: &[(&str, &str)]) -> Edge {
    let mut env = Env::of(settings.iter().copied());
    let clock = Clock::frozen(now());
    Edge {
        identify: Identify { tokens: tokens.clone(), desks: Arc::new(AsNamed), clock: clock.clone() },
        origins: Origins::from_env(&mut env).unwrap(),
        limit_rate: LimitRate {
            policies: Policies::from_env(&mut env).unwrap(),
            buckets: Arc::new(buckets(Servers::shared().redis(), &format!("it:{}:", fresh_key()), clock)),
            proxies: 0,
        },
    }
}

fn buckets(redis: &str, prefix: &str, clock: Clock) -> Buckets {
    Buckets::new(Queue::new(&redis.parse().unwrap(), prefix).unwrap(), clock, 1000, Duration::from_secs(10))
}

/// Settings under which a walk is never stopped for its haste.
pub const HASTY: [(&str, &str); 4] = [
    ("SONGDA_RATE_SIGN_IN", "1000000"),
    ("SONGDA_RATE_MOBILE", "1000000"),
    ("SONGDA_RATE_STAFF", "1000000"),
    ("SONGDA_RATE_INTEGRATION", "1000000"),
];

/// The pages that need no database.
fn server(tokens: &Tokens) -> TestClient<impl Endpoint<Output = Response> + use<>> {
    let edge = edge(tokens, &HASTY);
    TestClient::new(surround(pages_of(&edge).unwrap(), edge, allowed()))
}

/// A token that a security scheme of the documents accepts.
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
    pub async fn of(response: poem::test::TestResponse) -> Self {
        let (parts, body) = response.0.into_parts();
        let body = String::from_utf8_lossy(&body.into_vec().await.unwrap()).into_owned();
        Self { status: parts.status, headers: parts.headers, body }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Checks that it is a whole problem of this kind.
    #[track_caller]
    fn is_problem(&self, status: u16, code: &str, about: &str) -> Value {
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
