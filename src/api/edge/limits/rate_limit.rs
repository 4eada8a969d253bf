//! Limits the rate of requests per caller, or per network address for attempts to sign in and for callers that have not
//! signed in. Every response to a limited path states the limit (`RateLimit` and `RateLimit-Policy`, IETF
//! draft-ietf-httpapi-ratelimit-headers-10). A caller that exceeds its limit gets 429 with `Retry-After`.

use std::net::IpAddr;
use std::sync::Arc;

use poem::http::{HeaderName, HeaderValue};
use poem::web::RemoteAddr;
use poem::{Addr, Request, Response, Result};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::current::current_request;
use crate::api::edge::limits::policies::Policies;
use crate::api::edge::limits::quotas::Quotas;
use crate::api::edge::middleware::layer::{Inner, Layer};
use crate::api::edge::parameters::principal::Identity;
use crate::api::edge::route_table::RouteTable;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

#[derive(Clone)]
pub struct RateLimits {
    pub policies: Policies,
    pub quotas: Arc<Quotas>,
    /// The number of our own proxies in front of this process. Each proxy appends the address of its caller to
    /// `X-Forwarded-For`.
    pub proxies: usize,
}

pub struct LimitRate {
    pub limits: RateLimits,
    /// The table that marks the operations that are attempts to sign in.
    pub routes: Arc<RouteTable>,
}

impl Layer for LimitRate {
    async fn answer(&self, request: Request, inner: &impl Inner) -> Result<Response> {
        let RateLimits { policies, quotas, proxies } = &self.limits;
        let address = address_of(&request, *proxies);
        let path = request.uri().path();
        let is_attempt = self.routes.is_sign_in_attempt(request.method(), path);
        let Some((limit, caller)) = policies.choose(path, is_attempt, Identity::of(&request), &address) else {
            return inner.call(request).await;
        };
        let policy = &limit.policy;
        let decision = quotas.take(policy, &caller).await;
        let mut response = if decision.allowed {
            inner.call(request).await?
        } else {
            Problem::new(Code::TooManyRequests).retry_after(decision.next_in).render(&current_request())
        };
        response.headers_mut().insert(RATELIMIT_POLICY, limit.announced.clone());
        let full_in = decision.full_in.as_millis().div_ceil(1000);
        if let Ok(value) = HeaderValue::try_from(format!("\"{}\";r={};t={full_in}", policy.name, decision.remaining)) {
            response.headers_mut().insert(RATELIMIT, value);
        }
        Ok(response)
    }
}

/// Returns the network address of the caller: the address that our outermost proxy saw, or the peer's address if no
/// proxy reports one. An IPv6 address is cut to its /64 prefix, because one subscriber has the whole prefix.
fn address_of(request: &Request, proxies: usize) -> String {
    let forwarded = request.headers().get_all(X_FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let forwarded: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
    let seen =
        proxies.checked_sub(1).and_then(|steps| forwarded.iter().rev().nth(steps)).and_then(|ip| ip.parse().ok());
    let RemoteAddr(peer) = request.remote_addr();
    let address = seen.or(match peer {
        Addr::SocketAddr(peer) => Some(peer.ip()),
        _ => None,
    });
    match address {
        Some(IpAddr::V4(ip)) => ip.to_string(),
        Some(IpAddr::V6(ip)) => ip.segments()[..4].iter().map(|part| format!("{part:x}")).collect::<Vec<_>>().join(":"),
        None => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_proxies_are_believed() {
        let request = Request::builder().header("x-forwarded-for", "9.9.9.9, 2001:db8:1:2:3::4").finish();
        assert_eq!(address_of(&request, 0), "unknown");
        assert_eq!(address_of(&request, 1), "2001:db8:1:2");
        assert_eq!(address_of(&request, 2), "9.9.9.9");
        assert_eq!(address_of(&request, 3), "unknown");
    }
}
