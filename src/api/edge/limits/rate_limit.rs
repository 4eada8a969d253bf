//! Limits the rate of requests per caller, or per network address for attempts to sign in and for callers that have not
//! signed in. Every response to a limited path states the limit (`RateLimit` and `RateLimit-Policy`, IETF
//! draft-ietf-httpapi-ratelimit-headers-10). A caller that exceeds its limit gets 429 with `Retry-After`.

use std::sync::Arc;

use poem::http::{HeaderName, HeaderValue};
use poem::{Request, Response, Result};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::current::current_request;
use crate::api::edge::limits::policies::Policies;
use crate::api::edge::limits::quotas::Quotas;
use crate::api::edge::middleware::layer::{Inner, Layer};
use crate::api::edge::parameters::principal::Identity;
use crate::api::edge::route_table::RouteTable;
use crate::metrics::requests::Route;

const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

#[derive(Clone)]
pub struct RateLimits {
    pub policies: Policies,
    pub quotas: Arc<Quotas>,
}

pub struct LimitRate {
    pub limits: RateLimits,
    /// The table that marks the operations that are attempts to sign in.
    pub routes: Arc<RouteTable>,
}

impl Layer for LimitRate {
    async fn answer(&self, request: Request, inner: &impl Inner) -> Result<Response> {
        let RateLimits { policies, quotas } = &self.limits;
        let current = current_request();
        let path = request.uri().path();
        let is_attempt = self.routes.is_sign_in_attempt(request.method(), path);
        let Some((limit, caller)) = policies.choose(path, is_attempt, Identity::of(&request), current.address) else {
            return inner.call(request).await;
        };
        let policy = &limit.policy;
        let decision = quotas.take(policy, &caller).await;
        let allowed = if decision.allowed {
            let route = self.routes.route(path).map_or("", Route::name);
            policies.budgets.take(quotas, request.method(), route, current.address).await
        } else {
            Err(Problem::new(Code::TooManyRequests).retry_after(decision.next_in))
        };
        let mut response = match allowed {
            Ok(()) => inner.call(request).await?,
            Err(problem) => problem.render(&current),
        };
        response.headers_mut().insert(RATELIMIT_POLICY, limit.announced.clone());
        let full_in = decision.full_in.as_millis().div_ceil(1000);
        if let Ok(value) = HeaderValue::try_from(format!("\"{}\";r={};t={full_in}", policy.name, decision.remaining)) {
            response.headers_mut().insert(RATELIMIT, value);
        }
        Ok(response)
    }
}
