//! Gives each request an id, a trace and its caller's address, and its response the headers `X-Request-Id` and
//! `traceparent` (W3C Trace Context).

use std::sync::Arc;

use poem::http::HeaderValue;
use poem::{Request, Response, Result};
use tracing::Instrument;

use crate::api::edge::current::{Current, TRACEPARENT, X_REQUEST_ID};
use crate::api::edge::middleware::layer::{Inner, Layer};
use crate::api::edge::proxies::Proxies;
use crate::trace::Span;

pub struct NameRequests {
    pub proxies: Proxies,
}

impl Layer for NameRequests {
    async fn answer(&self, request: Request, inner: &impl Inner) -> Result<Response> {
        let parent = request.headers().get(TRACEPARENT).and_then(|value| value.to_str().ok());
        let span = Span::request(parent);
        let current = Arc::new(Current::of(request.headers(), &span, self.proxies.caller(&request)));
        let logged = tracing::info_span!("request", id = %current.id, trace = span.trace());
        let answered = Arc::clone(&current).scope(span.scope(inner.call(request)));
        let mut response = answered.instrument(logged).await?;
        for (name, value) in [(X_REQUEST_ID, &current.id), (TRACEPARENT, &current.traceparent)] {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(name, value);
            }
        }
        Ok(response)
    }
}
