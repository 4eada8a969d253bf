//! Cross-origin requests of web clients (CORS protocol of the Fetch standard). Callers identify themselves by a bearer
//! token, never by a cookie. So any origin can be admitted, and `Access-Control-Allow-Credentials` is never sent.
//!
//! Neither of the existing middlewares fits. poem's `Cors` responds to a foreign origin with a bare 403 instead of a
//! problem. tower-http's `CorsLayer` wraps a tower service, so every request and response would be converted twice.

use std::future::{Future, ready};
use std::str::FromStr;

use futures_util::TryFutureExt;
use futures_util::future::Either;
use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Request, Response, Result};

use crate::api::edge::middleware::layer::{Inner, Layer};
use crate::env::Env;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE");
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "Accept-Language, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, \
     traceparent, X-Request-Id",
);
const RESPONSE_HEADERS: HeaderValue = HeaderValue::from_static(
    "Content-Language, ETag, Idempotent-Replayed, Location, RateLimit, RateLimit-Policy, Retry-After, traceparent, \
     WWW-Authenticate, X-Request-Id",
);
const TWO_HOURS: HeaderValue = HeaderValue::from_static("7200"); // The longest time that Chromium accepts.
const ANY: HeaderValue = HeaderValue::from_static("*");

/// The web origins that may call the API: `*` for all, or a list separated by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    Any,
    List(Vec<String>),
}

impl FromStr for Origins {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim() == "*" {
            return Ok(Self::Any);
        }
        Ok(Self::List(
            text.split(',').map(|origin| origin.trim().to_owned()).filter(|origin| !origin.is_empty()).collect(),
        ))
    }
}

impl Origins {
    pub fn from_env(env: &mut Env) -> Option<Self> {
        env.or(
            "SONGDA_CORS_ORIGINS",
            "*",
            "Web origins that may call the API from a browser, separated by commas; * for all",
        )
    }

    /// Returns the value of `Access-Control-Allow-Origin` for an origin; `None` if the origin is not admitted.
    fn admit(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        match self {
            Self::Any => Some(ANY),
            Self::List(list) => {
                list.iter().any(|listed| listed.as_bytes() == origin.as_bytes()).then(|| origin.clone())
            }
        }
    }
}

pub struct AllowOrigins(pub Origins);

impl Layer for AllowOrigins {
    fn answer(&self, request: Request, inner: &impl Inner) -> impl Future<Output = Result<Response>> + Send {
        let admitted = request.headers().get(header::ORIGIN).map(|origin| self.0.admit(origin));
        let asks_first = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        let is_preflight = admitted.is_some() && asks_first && request.method() == Method::OPTIONS;
        let answered = if is_preflight {
            Either::Left(ready(Ok(Response::builder().status(StatusCode::NO_CONTENT).finish())))
        } else {
            Either::Right(inner.call(request))
        };
        answered.map_ok(move |mut response| {
            if self.0 != Origins::Any {
                response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
            }
            if let Some(Some(origin)) = admitted {
                allow(response.headers_mut(), origin, is_preflight);
            }
            response
        })
    }
}

fn allow(headers: &mut HeaderMap, origin: HeaderValue, is_preflight: bool) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    if is_preflight {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, TWO_HOURS);
    } else {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_admits_its_members_only() {
        let origins: Origins = "https://a.example, https://b.example".parse().unwrap();
        let admit = |origin: &'static str| origins.admit(&HeaderValue::from_static(origin));
        assert_eq!(admit("https://b.example").unwrap(), "https://b.example");
        assert_eq!(admit("https://c.example"), None);
        assert_eq!(Origins::Any.admit(&HeaderValue::from_static("null")).unwrap(), "*");
    }
}
