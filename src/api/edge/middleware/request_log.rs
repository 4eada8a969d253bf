//! Logs and counts each request, and ends its trace span. Paths and queries contain ids and search words, so the log
//! contains the route instead: `/v1/cases/{id}`.

use std::sync::Arc;

use poem::http::Method;
use poem::{Request, Response, Result};

use crate::api::edge::current::current_request;
use crate::api::edge::middleware::layer::{Inner, Layer};
use crate::api::edge::parameters::principal::CallerKind;
use crate::api::edge::route_table::RouteTable;
use crate::domain::kernel::clock::Stopwatch;
use crate::metrics::requests::Route;
use crate::trace::Span;

pub struct LogRequests {
    routes: Arc<RouteTable>,
    unknown: Route,
}

impl LogRequests {
    pub fn new(routes: Arc<RouteTable>) -> Self {
        Self { routes, unknown: Route::new("unknown") }
    }
}

impl Layer for LogRequests {
    async fn answer(&self, request: Request, inner: &impl Inner) -> Result<Response> {
        let method = word(request.method());
        let at = self.routes.route(request.uri().path()).unwrap_or(&self.unknown);
        let watch = Stopwatch::start();
        let response = inner.call(request).await?;
        let CallerKind(caller) = response.data().copied().unwrap_or_default();
        // For a stream, this is the time until the stream begins.
        let took = watch.elapsed();
        let status = response.status().as_u16();
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let route = at.name();
        let current = current_request();
        let request_id = &current.id;
        let caller_request_id = current.callers_id.as_deref();
        tracing::info!(method, route, status, micros, request_id, caller_request_id, caller, "answered");
        at.answered(method, status, took);
        Span::current().answered(method, route, status, caller);
        Ok(response)
    }
}

/// Returns the name of a standard method, otherwise `unknown`. A caller can send any text as the method, so other texts
/// must not get into the log.
fn word(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"];
    KNOWN.into_iter().find(|known| method == known).unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_the_caller_invented_is_not_logged() {
        assert_eq!(word(&Method::PATCH), "PATCH");
        assert_eq!(word(&Method::from_bytes(b"13912345678").unwrap()), "unknown");
    }
}
