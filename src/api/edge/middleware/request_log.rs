//! What each request leaves behind: one line in the log, a count, and the end of its span. They say what was asked for, by
//! what kind of caller, how it went, and how long it took. Nothing in them is the caller's own text: an address stands there
//! as the documents write it (`/v1/cases/{id}`), because paths and queries hold ids and search words.

use std::sync::Arc;

use poem::http::Method;
use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};

use crate::api::edge::middleware::allowed::Allowed;
use crate::api::edge::middleware::request_id::current_request;
use crate::api::edge::parameters::bearer::CallerKind;
use crate::domain::kernel::clock::Stopwatch;
use crate::metrics::requests::Route;
use crate::trace::Span;

/// The middleware. It stands directly beneath the one that names requests, so that it sees every answer as it leaves.
pub struct LogRequests {
    /// The addresses that there are.
    pub addresses: Arc<Allowed>,
}

impl<E: Endpoint> Middleware<E> for LogRequests {
    type Output = Logged<E>;

    fn transform(&self, inner: E) -> Logged<E> {
        Logged { inner, addresses: Arc::clone(&self.addresses), unknown: Route::new("unknown") }
    }
}

/// See [`LogRequests`].
pub struct Logged<E> {
    inner: E,
    addresses: Arc<Allowed>,
    unknown: Route,
}

impl<E: Endpoint> Endpoint for Logged<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let method = word(request.method());
        let at = self.addresses.route(request.uri().path()).unwrap_or(&self.unknown);
        let watch = Stopwatch::start();
        let response = self.inner.call(request).await?.into_response();
        let CallerKind(caller) = response.data().copied().unwrap_or_default();
        // Of a stream this is the time until it begins.
        let (took, status) = (watch.elapsed(), response.status().as_u16());
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let (route, request_id) = (at.name(), &current_request().id);
        tracing::info!(method, route, status, micros, request_id, caller, "answered");
        at.answered(method, status, took);
        Span::current().answered(method, route, status, caller);
        Ok(response)
    }
}

/// The method, if it is one that exists: a caller may make one up.
fn word(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"];
    KNOWN.into_iter().find(|known| method == known).unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_a_caller_made_up_is_not_repeated() {
        assert_eq!(word(&Method::PATCH), "PATCH");
        assert_eq!(word(&Method::from_bytes(b"13912345678").unwrap()), "unknown");
    }
}
