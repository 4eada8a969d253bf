//! Records spans for three kinds of work: requests to the API, attempts at jobs, and calls to gateways. Only this file
//! sets names and attributes of spans, so that a reader can check that they contain nothing personal: only routes,
//! statuses, names of lanes and gateways, job ids and outcomes. No path, query, header or text of a caller or a gateway
//! becomes a name or an attribute.
//!
//! ```text
//! request ──(the job keeps its traceparent)──► attempt, in a separate trace that links to the request's
//!    └─ call                                        └─ call
//! ```
//!
//! An attempt has a separate trace because one request can add four hundred jobs, and some run days later. `telemetry`
//! turns traces on. While they are off, no span is made, and each call here costs one atomic operation.

use std::fmt::Display;
use std::sync::OnceLock;

use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{Link, SpanBuilder, SpanContext, SpanKind, SpanRef, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracer;

static TRACER: OnceLock<SdkTracer> = OnceLock::new();

tokio::task_local! {
    static CURRENT: Span;
}

/// Turns traces on for this process. Later calls change nothing.
pub fn begin(tracer: SdkTracer) {
    let _ = TRACER.set(tracer);
}

/// A span, which ends when its last copy is dropped. Empty while traces are off.
#[derive(Clone, Default)]
pub struct Span(Option<Context>);

impl Span {
    /// Starts the span of a request. `caller` is the `traceparent` header of the request.
    pub fn request(caller: Option<&str>) -> Self {
        start(|| {
            let parent = caller.and_then(remote).map(|caller| Context::new().with_remote_span_context(caller));
            (SpanBuilder::from_name("request").with_kind(SpanKind::Server), parent.unwrap_or_default())
        })
    }

    /// Starts the span of an attempt at a job. `promised_by` is the `traceparent` of the request that added the job.
    pub fn attempt(job: impl Display, kind: &'static str, lane: &str, promised_by: Option<&str>) -> Self {
        start(|| {
            let about = [
                KeyValue::new("songda.job.id", job.to_string()),
                KeyValue::new("songda.job.kind", kind),
                KeyValue::new("songda.lane", lane.to_owned()),
            ];
            let links = promised_by.and_then(remote).map(Link::with_context);
            let builder = SpanBuilder::from_name(kind).with_kind(SpanKind::Consumer).with_attributes(about);
            (builder.with_links(links.into_iter().collect()), Context::new())
        })
    }

    /// Starts the span of a call to a gateway, as a child of the running request or attempt.
    pub fn call(gateway: &str, method: &str) -> Self {
        start(|| {
            let about = [
                KeyValue::new("songda.gateway", gateway.to_owned()),
                KeyValue::new("http.request.method", method.to_owned()),
            ];
            let builder = SpanBuilder::from_name(format!("{method} {gateway}")).with_kind(SpanKind::Client);
            (builder.with_attributes(about), Self::current().0.unwrap_or_default())
        })
    }

    /// The span of the request or attempt that the running task is part of.
    pub fn current() -> Self {
        CURRENT.try_with(Clone::clone).unwrap_or_default()
    }

    /// Runs a future as part of this span: the calls to gateways that the future makes become child spans.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }

    /// The `traceparent` (W3C Trace Context) that names this span as the parent.
    pub fn traceparent(&self) -> Option<String> {
        let context = self.0.as_ref()?.span().span_context().clone();
        let flags = context.trace_flags().to_u8();
        Some(format!("00-{}-{}-{flags:02x}", context.trace_id(), context.span_id()))
    }

    /// The id of the trace that this span belongs to, for log lines; `None` if the trace is not sampled.
    pub fn trace(&self) -> Option<String> {
        let context = self.0.as_ref()?.span().span_context().clone();
        context.is_sampled().then(|| context.trace_id().to_string())
    }

    /// Records the response to a request. `caller` is the kind of caller: `person`, `officer`, …
    pub fn answered(&self, method: &'static str, route: &str, status: u16, caller: &'static str) {
        let Some(span) = self.recorded() else { return };
        span.update_name(format!("{method} {route}"));
        span.set_attributes([
            KeyValue::new("http.request.method", method),
            KeyValue::new("http.route", route.to_owned()),
            KeyValue::new("http.response.status_code", i64::from(status)),
            KeyValue::new("songda.caller", caller),
        ]);
        if status >= 500 {
            span.set_status(Status::error(""));
        }
    }

    /// Records the outcome of the attempt. `state` is the state of its job afterwards.
    pub fn ended(&self, outcome: &'static str, state: &'static str) {
        let Some(span) = self.recorded() else { return };
        span.set_attributes([KeyValue::new("songda.outcome", outcome), KeyValue::new("songda.job.state", state)]);
        if state == "dead" {
            span.set_status(Status::error(outcome));
        }
    }

    /// Records the HTTP status of the gateway's response.
    pub fn returned(&self, status: u16) {
        let Some(span) = self.recorded() else { return };
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
    }

    /// Records that the gateway gave no complete response. `class` is the class of the failure.
    pub fn failed(&self, class: &'static str) {
        let Some(span) = self.recorded() else { return };
        span.set_attribute(KeyValue::new("error.type", class));
        span.set_status(Status::error(class));
    }

    fn recorded(&self) -> Option<SpanRef<'_>> {
        self.0.as_ref().map(|context| context.span()).filter(SpanRef::is_recording)
    }
}

fn start(span: impl FnOnce() -> (SpanBuilder, Context)) -> Span {
    Span(TRACER.get().map(|tracer| {
        let (builder, parent) = span();
        parent.with_span(tracer.build_with_context(builder, &parent))
    }))
}

/// Parses a `traceparent`. Returns `None` if it is invalid.
fn remote(traceparent: &str) -> Option<SpanContext> {
    struct Carrier<'a>(&'a str);
    impl Extractor for Carrier<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            (key == "traceparent").then_some(self.0)
        }
        fn keys(&self) -> Vec<&str> {
            vec!["traceparent"]
        }
    }
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &Carrier(traceparent));
    Some(context.span().span_context().clone()).filter(SpanContext::is_valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_span_is_made_while_traces_are_off() {
        let span = Span::request(Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        assert_eq!(span.traceparent(), None);
        let called = span.scope(async { Span::call("ems", "POST").0.is_none() }).await;
        assert!(called && Span::current().0.is_none());
    }

    #[test]
    fn an_invalid_traceparent_names_no_span() {
        // W3C Trace Context §3.2.1
        assert!(
            remote("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").is_some_and(|span| span.is_sampled())
        );
        assert!(remote("00-00000000000000000000000000000000-b7ad6b7169203331-01").is_none());
        assert!(remote("13912345678").is_none());
    }
}
