//! The edge: the code around the operations that all APIs share, such as tokens, rate limits, conditions and problems.
//! Rules for every operation are tested by requests to each operation of the OpenAPI documents. Rules for one kind of
//! operation are tested on a sample API.

mod caller_addresses;
mod connections;
mod documents;
mod every_operation;
mod every_read;
mod headers;
mod idempotency;
mod populated;
mod rate_limit;
mod request_log;
pub mod sample;
mod shapes;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use poem::test::TestClient;
use poem::{Endpoint, Response};
use songda::api::audiences::rate_policies;
use songda::api::edge::limits::quotas::Quotas;
use songda::api::edge::limits::rate_limit::RateLimits;
use songda::api::edge::middleware::cors::Origins;
use songda::api::edge::middleware::identify::{Identify, SessionLookup};
use songda::api::edge::middleware::in_time::ANSWER_WITHIN;
use songda::api::edge::middleware::safe_headers::ProtectAnswers;
use songda::api::edge::parameters::principal::Officer;
use songda::api::edge::proxies::Proxies;
use songda::api::edge::surround::{Edge, surround};
use songda::api::pages::{pages, route_table};
use songda::auth::tokens::Tokens;
use songda::demo::fresh_key;
use songda::domain::kernel::clock::Clock;
use songda::domain::kernel::ids::SessionId;
use songda::env::Env;
use songda::queue::Queue;
use songda::store::StoreError;

use crate::support::edge::now;
use crate::support::servers::Servers;
use crate::support::settings::UNLIMITED;

/// Takes an officer's role and agency from the token, because these tests have no database. No session ends.
struct AsNamed;

#[async_trait]
impl SessionLookup for AsNamed {
    fn is_over(&self, _: SessionId) -> bool {
        false
    }

    async fn officer(&self, named: &Officer) -> Result<Option<Officer>, StoreError> {
        Ok(Some(named.clone()))
    }
}

/// Makes an edge with some settings changed and a frozen clock. Rate limits are counted in the shared Redis under
/// a fresh prefix.
fn edge(tokens: &Tokens, settings: &[(&str, &str)]) -> Edge {
    let mut env = Env::of(settings.iter().copied());
    let clock = Clock::frozen(now());
    Edge {
        identify: Identify { tokens: tokens.clone(), sessions: Arc::new(AsNamed), clock: clock.clone() },
        origins: Origins::from_env(&mut env).unwrap(),
        rate_limits: RateLimits {
            policies: rate_policies(&mut env).unwrap(),
            quotas: Arc::new(quotas(Servers::shared().redis(), &format!("it:{}:", fresh_key()), clock)),
        },
        protect: ProtectAnswers { has_tls: false },
        proxies: Proxies::from_env(&mut env).unwrap(),
        answer_within: ANSWER_WITHIN,
    }
}

fn quotas(redis: &str, prefix: &str, clock: Clock) -> Quotas {
    Quotas::new(Queue::new(&redis.parse().unwrap(), prefix).unwrap(), clock, 1000, Duration::from_secs(10))
}

/// Serves the pages that need no database.
fn server(tokens: &Tokens) -> TestClient<impl Endpoint<Output = Response> + use<>> {
    let edge = edge(tokens, &UNLIMITED);
    TestClient::new(surround(pages(&edge).unwrap(), edge, route_table()))
}
