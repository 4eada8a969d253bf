//! Traces: a decision's request, its jobs, their attempts and the calls to gateways, as a collector receives them from
//! real processes. A collector that is away does no harm.

mod collector;

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::json;
use songda::demo::fresh_phone;
use tokio::net::TcpListener;

use self::collector::{Collector, Span};
use crate::support::arrivals::{Decided, assert_arrived_once};
use crate::support::desk::Desk;
use crate::support::office::{Office, number_of, result};
use crate::support::process::{Watched, stop_gracefully};

/// The example of W3C Trace Context §3.2.1.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// All attributes that spans are allowed to have. No attribute contains text that a caller or a gateway wrote.
const ATTRIBUTES: [&str; 11] = [
    "error.type",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "songda.caller",
    "songda.gateway",
    "songda.job.id",
    "songda.job.kind",
    "songda.job.state",
    "songda.lane",
    "songda.outcome",
];

/// Starts an API and a worker that send their spans to a collector.
async fn processes(desk: &Desk, collector: &str) -> [Watched; 2] {
    let settings = [("SONGDA_OTLP_ENDPOINT", collector)];
    [desk.watched("serve", &settings).await, desk.watched("work", &settings).await]
}

/// Reports a decision for the person with this phone. The request belongs to the trace [`TRACE`]. Returns the decision,
/// and the `traceparent` of the answer.
async fn decide(desk: &Desk, server: &Watched, phone: &str) -> (Decided, String) {
    let office = Office::register(desk).await.at(&server.api().await);
    let call = office.api.post("/integration/v1/result-batches").once(phone);
    let call = call.header("traceparent", &format!("00-{TRACE}-{CALLER}-01"));
    let reply = call.json(&json!({"results": [result(phone)]})).success().await.unwrap();
    let number = number_of(&reply.rows().unwrap()[0]);
    (Decided::by_phone(number, phone), reply.header("traceparent").to_owned())
}

/// Stops the sandbox's callbacks, because a callback that came after the worker has stopped would leave a job undone.
fn stop_callbacks(desk: &Desk) {
    desk.sandbox.world().callbacks.aim(None);
}

/// Returns the only span with this name.
fn the<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let named: Vec<&Span> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(named.len(), 1, "{name} among {spans:#?}");
    named[0]
}

fn attribute(span: &Span, name: &str) -> String {
    span.attributes.get(name).cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_decision_is_traced_from_the_request_to_the_gateways_without_personal_data() {
    let desk = Desk::builder().without_worker().open().await;
    let collector = Collector::start().await;
    let phone = fresh_phone();
    stop_callbacks(&desk);
    let [mut server, mut worker] = processes(&desk, &collector.endpoint).await;
    let signed_in = server.api().await.post("/v1/sessions/wechat").json(&json!({"code": "wx-traced"}));
    signed_in.success().await.unwrap();
    let (decided, answered) = decide(&desk, &server, &phone).await;
    assert_arrived_once(&desk, std::slice::from_ref(&decided)).await;
    // A process sends its remaining spans when it stops.
    stop_gracefully(&mut server.process).await;
    stop_gracefully(&mut worker.process).await;
    let spans = collector.spans();

    assert_request_and_jobs(&spans, &answered);
    let sign_in = the(&spans, "POST /v1/sessions/wechat");
    let call = the(&spans, "GET wechat");
    assert_eq!((&call.id.0, &call.parent), (&sign_in.id.0, &sign_in.id.1), "a call within a request is its child");

    let stored =
        "select distinct kind, trace from jobs where kind in ('push', 'order_parcel', 'track_parcel') order by kind";
    let stored: Vec<(String, Option<String>)> = sqlx::query_as(stored).fetch_all(&desk.database).await.unwrap();
    let all = ["order_parcel", "push", "track_parcel"].map(|kind| (kind.to_owned(), Some(answered.clone())));
    assert_eq!(stored, all, "a job that follows from a job refers to the same request");

    assert_impersonal(&spans, &[&decided.number, &phone, "王小明", "IT-0001", "清风路", "wx-traced", "openid"]);
    assert!(server.log().contains(&format!(r#""trace":"{TRACE}""#)), "the log names the trace: {}", server.log());
    desk.close().await;
}

/// Asserts that the request continues the caller's trace, and that each job's attempt has a separate trace with a link
/// to the request and a child for the gateway's call.
fn assert_request_and_jobs(spans: &[Span], answered: &str) {
    let request = the(spans, "POST /integration/v1/result-batches");
    assert_eq!((request.kind, request.id.0.as_str(), request.parent.as_str()), (SpanKind::Server, TRACE, CALLER));
    assert_eq!(answered, format!("00-{TRACE}-{}-01", request.id.1), "the answer names the span");
    let described = ["http.response.status_code", "songda.caller"].map(|name| attribute(request, name));
    assert_eq!(described, ["207", "client"]);
    for (kind, lane, outcome, call) in [
        ("push", "push.sms_aliyun", "delivered", "POST sms_aliyun"),
        ("order_parcel", "courier.ems", "ordered", "POST ems"),
    ] {
        let attempt = the(spans, kind);
        assert_eq!((attempt.kind, &attempt.links), (SpanKind::Consumer, &vec![request.id.clone()]), "{attempt:#?}");
        assert!(attempt.id.0 != TRACE && attempt.parent.is_empty(), "it has a trace of its own: {attempt:#?}");
        let described = ["songda.lane", "songda.outcome", "songda.job.state"].map(|name| attribute(attempt, name));
        assert_eq!(described, [lane, outcome, "done"]);
        let call = the(spans, call);
        assert_eq!((call.kind, &call.id.0, &call.parent), (SpanKind::Client, &attempt.id.0, &attempt.id.1));
    }
}

fn assert_impersonal(spans: &[Span], personal: &[&str]) {
    for span in spans {
        let unknown: Vec<&String> =
            span.attributes.keys().filter(|name| !ATTRIBUTES.contains(&name.as_str())).collect();
        assert!(unknown.is_empty(), "unknown attributes {unknown:?} in {span:#?}");
        for private in personal {
            assert!(!span.whole.contains(private), "{private} is in {span:#?}");
        }
    }
}

#[tokio::test]
async fn a_stranger_does_not_decide_which_requests_are_traced() {
    let mut desk = Desk::builder().without_worker().open().await;
    desk.leave_jobs();
    for (share, flags, traced) in [("0", "01", 0), ("1", "00", 1)] {
        let collector = Collector::start().await;
        let settings = [("SONGDA_OTLP_ENDPOINT", collector.endpoint.as_str()), ("SONGDA_TRACE_SHARE", share)];
        let mut server = desk.watched("serve", &settings).await;
        let api = server.api().await;
        let parent = format!("00-{TRACE}-{CALLER}-{flags}");
        let reply = api.get("/v1/catalogue").header("traceparent", &parent).success().await.unwrap();
        let answered = reply.header("traceparent").to_owned();
        assert!(answered.starts_with(&format!("00-{TRACE}-")), "the trace goes on under its id: {answered}");
        assert!(answered.ends_with(if traced == 1 { "-01" } else { "-00" }), "the flag is our own: {answered}");
        stop_gracefully(&mut server.process).await;
        let requests = collector.spans().iter().filter(|span| span.kind == SpanKind::Server).count();
        assert_eq!(requests, traced, "share {share}, flags {flags}");
    }
    let server = desk.server().await;
    let parent = format!("00-{TRACE}-{CALLER}-01");
    let code = json!({ "phone": fresh_phone() });
    let reply = server.api.post("/v1/login-codes").header("traceparent", &parent).json(&code).success().await.unwrap();
    assert!(reply.header("traceparent").ends_with("-00"), "without a collector nothing is traced");
    let stored: String = desk.scalar("select trace from jobs where kind = 'send_login_code'").await;
    assert!(stored.ends_with("-00"), "a worker would follow the flag of the job: {stored}");
    desk.close().await;
}

#[tokio::test]
async fn a_collector_that_never_answers_does_no_harm() {
    let desk = Desk::builder().without_worker().open().await;
    let phone = fresh_phone();
    // This collector accepts connections and never answers.
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    stop_callbacks(&desk);
    let [mut server, mut worker] = processes(&desk, &format!("http://{}", silent.local_addr().unwrap())).await;
    let (decided, _) = decide(&desk, &server, &phone).await;
    assert_arrived_once(&desk, &[decided]).await;
    stop_gracefully(&mut server.process).await;
    stop_gracefully(&mut worker.process).await;
    drop(silent);
    desk.close().await;
}
