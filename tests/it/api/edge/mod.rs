//! The edge that all APIs share. What holds for every operation is tested by a walk through the OpenAPI documents. What
//! one kind of operation does is tested on a sample API.

mod documents;
mod every_operation;
mod every_read;
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
use songda::api::edge::limits::buckets::Buckets;
use songda::api::edge::limits::rate_limit::{LimitRate, Policies};
use songda::api::edge::middleware::cors::Origins;
use songda::api::edge::parameters::bearer::{Desks, Identify, Officer};
use songda::api::{Edge, allowed, pages, surround};
use songda::auth::tokens::Tokens;
use songda::demo::fresh_key;
use songda::domain::kernel::clock::Clock;
use songda::env::Env;
use songda::queue::Queue;
use songda::store::StoreError;

use crate::support::edge::now;
use crate::support::servers::Servers;
use crate::support::settings::UNLIMITED;

/// Believes what a token says of its officer, because there is no database that knows more.
struct AsNamed;

#[async_trait]
impl Desks for AsNamed {
    async fn officer(&self, named: &Officer) -> Result<Option<Officer>, StoreError> {
        Ok(Some(named.clone()))
    }
}

/// An edge with some settings beside the defaults, at a frozen clock. Rate limits are counted in the shared Redis under
/// a fresh prefix.
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

/// The pages that need no database.
fn server(tokens: &Tokens) -> TestClient<impl Endpoint<Output = Response> + use<>> {
    let edge = edge(tokens, &UNLIMITED);
    TestClient::new(surround(pages(&edge).unwrap(), edge, allowed()))
}
