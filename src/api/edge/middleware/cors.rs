//! Cross-origin requests of web clients (CORS protocol of the Fetch standard). Callers identify themselves by a bearer
//! token, never by a cookie, so `Access-Control-Allow-Credentials` is never sent. Still only listed pages may call, and
//! officers' pages are listed apart, because a page needs no access to the API of another audience.
//!
//! Neither of the existing middlewares fits. poem's `Cors` responds to a foreign origin with a bare 403 instead of a
//! problem. tower-http's `CorsLayer` wraps a tower service, so every request and response would be converted twice.

use std::future::{Future, ready};
use std::str::FromStr;

use futures_util::TryFutureExt;
use futures_util::future::Either;
use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Request, Response, Result};
use url::Url;

use crate::api::edge::middleware::layer::{Inner, Layer};
use crate::env::Env;
use crate::env::risk::Risk;

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

/// The web origins that may call the API, by audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origins {
    /// Those of residents' pages, for everything that is not in [`STAFF`].
    residents: OriginList,
    staff: OriginList,
}

/// The beginnings of the paths that officers' and operators' pages call.
const STAFF: [&str; 2] = ["/staff/", "/ops/"];

#[derive(Debug, Clone, PartialEq, Eq)]
enum OriginList {
    /// `*`
    Any,
    /// Separated by commas in the setting.
    Listed(Vec<String>),
}

impl FromStr for OriginList {
    type Err = ();

    /// Fails if an entry is not written as browsers send an origin: without a path, without a default port, in lower
    /// case. Such an entry would admit no page.
    fn from_str(text: &str) -> Result<Self, ()> {
        if text.trim() == "*" {
            return Ok(Self::Any);
        }
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let origin = |entry: &str| {
            let origin = entry.parse::<Url>().ok()?.origin().ascii_serialization();
            (origin == entry).then_some(origin)
        };
        Ok(Self::Listed(entries.map(origin).collect::<Option<_>>().ok_or(())?))
    }
}

impl OriginList {
    /// Returns the value of `Access-Control-Allow-Origin` for an origin; `None` if the origin is not admitted.
    fn admit(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        match self {
            Self::Any => Some(ANY),
            Self::Listed(list) => {
                list.iter().any(|listed| listed.as_bytes() == origin.as_bytes()).then(|| origin.clone())
            }
        }
    }

    /// True if answers to different origins differ.
    fn varies(&self) -> bool {
        matches!(self, Self::Listed(list) if !list.is_empty())
    }
}

impl Origins {
    pub fn from_env(env: &mut Env) -> Option<Self> {
        let residents: Option<OriginList> = env.or(
            "SONGDA_CORS_ORIGINS",
            "",
            "Web origins (`https://h5.example`) whose pages may call the API from a browser, separated by commas; * for all; none if not set",
        );
        let staff: Option<OriginList> = env.or(
            "SONGDA_CORS_STAFF_ORIGINS",
            "",
            "The same for `/staff` and `/ops`, which the origins of `SONGDA_CORS_ORIGINS` may not call",
        );
        for (name, list) in [("SONGDA_CORS_ORIGINS", &residents), ("SONGDA_CORS_STAFF_ORIGINS", &staff)] {
            if list.as_ref() == Some(&OriginList::Any) {
                env.risk(Risk::AnyOrigin, format!("{name} is *"));
            }
        }
        Some(Self { residents: residents?, staff: staff? })
    }

    fn of(&self, path: &str) -> &OriginList {
        if STAFF.iter().any(|start| path.starts_with(start)) { &self.staff } else { &self.residents }
    }
}

pub struct AllowOrigins(pub Origins);

impl Layer for AllowOrigins {
    fn answer(&self, request: Request, inner: &impl Inner) -> impl Future<Output = Result<Response>> + Send {
        let origins = self.0.of(request.uri().path());
        let admitted = request.headers().get(header::ORIGIN).map(|origin| origins.admit(origin));
        let asks_first = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        let is_preflight = admitted.is_some() && asks_first && request.method() == Method::OPTIONS;
        let answered = if is_preflight {
            Either::Left(ready(Ok(Response::builder().status(StatusCode::NO_CONTENT).finish())))
        } else {
            Either::Right(inner.call(request))
        };
        answered.map_ok(move |mut response| {
            if origins.varies() {
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
        let read = |list: &str| list.parse::<OriginList>();
        let admit = |list: &str, origin: &'static str| read(list).unwrap().admit(&HeaderValue::from_static(origin));
        let list = "https://a.example, https://b.example:8443";
        assert_eq!(admit(list, "https://b.example:8443").unwrap(), "https://b.example:8443");
        assert_eq!(admit(list, "https://c.example"), None);
        assert_eq!(admit("", "https://a.example"), None);
        assert_eq!(admit("*", "null").unwrap(), "*");
        for faulty in ["https://a.example/", "https://A.example", "a.example", "https://a.example:443", "null"] {
            assert_eq!(read(faulty), Err(()), "{faulty}");
        }
    }

    #[test]
    fn answers_vary_by_origin_only_if_there_is_a_list() {
        let varies = ["", "*", "https://a.example"].map(|list| list.parse::<OriginList>().unwrap().varies());
        assert_eq!(varies, [false, false, true]);
    }
}
