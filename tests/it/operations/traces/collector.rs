//! A trace collector, which receives spans by OTLP over HTTP and stores them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span as Sent;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use poem::listener::{Acceptor, TcpAcceptor};
use poem::web::Data;
use poem::{EndpointExt, Route, Server, handler, post};
use prost::Message;
use songda::lifecycle::Tasks;
use tokio::net::TcpListener;

/// A span as it was received.
#[derive(Debug, Clone)]
pub struct Span {
    pub name: String,
    pub kind: SpanKind,
    /// The ids of the trace and of the span, as in a `traceparent`.
    pub id: (String, String),
    /// The id of the parent span; empty for the first span of a trace.
    pub parent: String,
    /// The spans to which this span links.
    pub links: Vec<(String, String)>,
    pub attributes: BTreeMap<String, String>,
    /// The whole span as text, to be searched for personal data.
    pub whole: String,
}

impl Span {
    fn of(sent: &Sent) -> Self {
        let links = sent.links.iter().map(|link| (hex::encode(&link.trace_id), hex::encode(&link.span_id)));
        Self {
            name: sent.name.clone(),
            kind: sent.kind(),
            id: (hex::encode(&sent.trace_id), hex::encode(&sent.span_id)),
            parent: hex::encode(&sent.parent_span_id),
            links: links.collect(),
            attributes: read(&sent.attributes),
            whole: format!("{sent:?}"),
        }
    }
}

fn read(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Option<AnyValue>| match value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("unexpected attribute: {other:?}"),
    };
    attributes.iter().map(|one| (one.key.clone(), text(&one.value))).collect()
}

#[derive(Clone, Default)]
struct Received(Arc<Mutex<Vec<Span>>>);

/// A collector on a free port. It ends when it is dropped.
pub struct Collector {
    /// The collector's URL.
    pub endpoint: String,
    received: Received,
    tasks: Tasks,
}

impl Collector {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let received = Received::default();
        let tasks = Tasks::new();
        let routes = Route::new().at("/v1/traces", post(take)).data(received.clone());
        let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
        let stop = tasks.stopping();
        assert!(!acceptor.local_addr().is_empty());
        tasks.spawn(async move {
            let served = Server::new_with_acceptor(acceptor).run_with_graceful_shutdown(routes, stop.cancelled(), None);
            served.await.unwrap();
        });
        Self { endpoint, received, tasks }
    }

    /// Returns the spans that were received so far.
    pub fn spans(&self) -> Vec<Span> {
        self.received.0.lock().unwrap().clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.tasks.stopping().cancel();
    }
}

#[handler]
fn take(Data(received): Data<&Received>, body: Vec<u8>) -> Vec<u8> {
    let request = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
    for resource in &request.resource_spans {
        let about = read(&resource.resource.as_ref().unwrap().attributes);
        assert_eq!(about["service.name"], "songda");
        let spans = resource.scope_spans.iter().flat_map(|scope| &scope.spans);
        received.0.lock().unwrap().extend(spans.map(Span::of));
    }
    ExportTraceServiceResponse::default().encode_to_vec()
}
