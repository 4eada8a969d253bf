//! How often a caller may ask: a token bucket per principal, or per address where no one is signed in, and a stricter
//! one for signing in. Every answer says how it stands (`RateLimit`, `RateLimit-Policy`: IETF
//! draft-ietf-httpapi-ratelimit-headers-10); who asks too often gets 429 and `Retry-After`.
//!
//! The [`Buckets`] count for all processes together.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::http::{HeaderName, HeaderValue, Method};
use poem::web::RemoteAddr;
use poem::{Addr, Endpoint, IntoResponse, Middleware, Request, Response, Result};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::limits::bucket::Policy;
use crate::api::edge::limits::buckets::Buckets;
use crate::api::edge::middleware::request_id::current_request;
use crate::api::edge::parameters::bearer::{Identity, Principal};
use crate::env::Env;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const MINUTE: Duration = Duration::from_secs(60);

/// Where signing in, and proving who one is, happens. By address alone: whoever guesses has as many accounts as they like.
///
/// A refresh is no such try: nobody guesses a refresh token, and behind one address of a mobile network are more phones
/// than may sign in there in a minute.
const SIGN_IN: [(Method, &str); 8] = [
    (Method::POST, "/v1/sessions/wechat"),
    (Method::POST, "/v1/sessions/sms"),
    (Method::POST, "/v1/login-codes"),
    (Method::PUT, "/v1/me/identity"),
    (Method::PUT, "/v1/me/phone"),
    (Method::PUT, "/v1/me/wechat"),
    (Method::POST, "/staff/v1/sessions"),
    (Method::POST, "/integration/v1/token"),
];

/// What is never limited: who watches over us, and the carriers and platforms that call us back.
const UNLIMITED: [&str; 3] = ["/healthz", "/readyz", "/callbacks/"];

/// A policy per audience, and a stricter one for signing in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policies {
    sign_in: Limit,
    mobile: Limit,
    staff: Limit,
    integration: Limit,
}

/// A policy, and what the headers of each answer say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Limit {
    policy: Policy,
    announced: HeaderValue,
}

impl Limit {
    fn new(name: &'static str, quota: u32) -> Self {
        let policy = Policy { name, quota, window: MINUTE };
        let announced = HeaderValue::try_from(format!("\"{name}\";q={quota};w={}", MINUTE.as_secs()));
        // A name of ours and numbers always make a header value.
        Self { policy, announced: announced.unwrap_or(HeaderValue::from_static("")) }
    }
}

impl Policies {
    /// Reads the settings.
    pub fn from_env(env: &mut Env) -> Option<Self> {
        let sign_in = env.or(
            "SONGDA_RATE_SIGN_IN",
            "60",
            "Sign-ins, and proofs of who somebody is, that one network address may try in a minute",
        );
        let mobile = env.or(
            "SONGDA_RATE_MOBILE",
            "600",
            "Requests that one person, or one address that is not signed in, may make in a minute",
        );
        let staff = env.or("SONGDA_RATE_STAFF", "1200", "Requests that one officer may make in a minute");
        let integration =
            env.or("SONGDA_RATE_INTEGRATION", "60000", "Requests that one back-office client may make in a minute");
        Some(Self {
            sign_in: Limit::new("sign-in", sign_in?),
            mobile: Limit::new("mobile", mobile?),
            staff: Limit::new("staff", staff?),
            integration: Limit::new("integration", integration?),
        })
    }

    /// The limit and the bucket of a request; `None` where nothing is limited.
    fn choose(&self, method: &Method, path: &str, identity: &Identity, address: &str) -> Option<(&Limit, String)> {
        if UNLIMITED.iter().any(|start| path.starts_with(start)) {
            return None;
        }
        if SIGN_IN.iter().any(|(of, at)| of == method && *at == path) {
            return Some((&self.sign_in, address.to_owned()));
        }
        Some(match identity {
            Identity::Known(principal) => {
                let limit = match principal {
                    Principal::Person(_) => &self.mobile,
                    Principal::Officer(_) => &self.staff,
                    Principal::Client(_) => &self.integration,
                };
                (limit, principal.id())
            }
            Identity::Unknown | Identity::Refused | Identity::Unanswered => (&self.mobile, address.to_owned()),
        })
    }
}

/// The middleware. It stands outside the catch-all, so that every answer bears its headers.
#[derive(Clone)]
pub struct LimitRate {
    /// How much.
    pub policies: Policies,
    /// Counted where.
    pub buckets: Arc<Buckets>,
    /// How many proxies of ours stand before us, each adding the address that it saw to `X-Forwarded-For`.
    pub proxies: usize,
}

impl<E: Endpoint> Middleware<E> for LimitRate {
    type Output = RateLimited<E>;

    fn transform(&self, inner: E) -> RateLimited<E> {
        RateLimited { inner, limit: self.clone() }
    }
}

/// See [`LimitRate`].
pub struct RateLimited<E> {
    inner: E,
    limit: LimitRate,
}

impl<E: Endpoint> Endpoint for RateLimited<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let LimitRate { policies, buckets, proxies } = &self.limit;
        let address = address_of(&request, *proxies);
        let chosen = policies.choose(request.method(), request.uri().path(), Identity::of(&request), &address);
        let Some((limit, caller)) = chosen else {
            return self.inner.call(request).await.map(IntoResponse::into_response);
        };
        let policy = &limit.policy;
        let taken = buckets.take(policy, &caller).await;
        let mut response = if taken.allowed {
            self.inner.call(request).await?.into_response()
        } else {
            Problem::new(Code::TooManyRequests).retry_after(taken.next_in).render(&current_request())
        };
        response.headers_mut().insert(RATELIMIT_POLICY, limit.announced.clone());
        let (name, remaining, full_in) = (policy.name, taken.remaining, taken.full_in.as_millis().div_ceil(1000));
        if let Ok(value) = HeaderValue::try_from(format!("\"{name}\";r={remaining};t={full_in}")) {
            response.headers_mut().insert(RATELIMIT, value);
        }
        Ok(response)
    }
}

/// The caller's network address: the peer's, or what the outermost of our proxies saw. Of IPv6 the /64 counts, which is
/// what one subscriber gets.
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
    use crate::api::edge::parameters::bearer::Person;
    use crate::api::edge::parameters::wire_ids::EXAMPLE;
    use crate::domain::kernel::ids::{PersonId, SessionId};

    fn policies() -> Policies {
        Policies::from_env(&mut Env::default()).unwrap()
    }

    #[test]
    fn signing_in_is_counted_by_address_and_health_not_at_all() {
        let policies = policies();
        let choose = |method, path| {
            policies.choose(&method, path, &Identity::Unknown, "1.2.3.4").map(|(limit, _)| limit.policy.name)
        };
        assert_eq!(choose(Method::POST, "/v1/sessions/sms"), Some("sign-in"));
        let person = Identity::Known(Principal::Person(Person {
            id: PersonId::from_uuid(EXAMPLE),
            session: SessionId::from_uuid(EXAMPLE),
            until: crate::domain::kernel::clock::Instant::default(),
        }));
        for path in ["/v1/me/identity", "/v1/me/phone", "/v1/me/wechat"] {
            let chosen = policies.choose(&Method::PUT, path, &person, "1.2.3.4");
            assert_eq!(
                chosen.map(|(limit, caller)| (limit.policy.name, caller)),
                Some(("sign-in", "1.2.3.4".to_owned()))
            );
        }
        let read = policies.choose(&Method::GET, "/v1/me", &person, "1.2.3.4");
        assert_eq!(read.map(|(limit, _)| limit.policy.name), Some("mobile"));
        assert_eq!(choose(Method::GET, "/v1/items"), Some("mobile"));
        assert_eq!(choose(Method::GET, "/healthz"), None);
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        let request = Request::builder().header("x-forwarded-for", "9.9.9.9, 2001:db8:1:2:3::4").finish();
        assert_eq!(address_of(&request, 0), "unknown");
        assert_eq!(address_of(&request, 1), "2001:db8:1:2");
        assert_eq!(address_of(&request, 2), "9.9.9.9");
        assert_eq!(address_of(&request, 3), "unknown");
    }
}
