//! Traces: from the request through the job to the attempt and the gateway's call, as a collector receives them from real
//! processes; and a collector that is away harms nobody.

mod collector;

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::{Value, json};
use songda::demo::fresh_phone;
use tokio::net::TcpListener;

use self::collector::{Collector, Span};
use crate::support::desk::{Desk, Watched, stops_softly};
use crate::support::office::{Decided, KnownOffice, came_once, result};

/// W3C Trace Context §3.2.1
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// All that may be said about anything. None of it is a caller's or a gateway's own text.
const SAID: [&str; 11] = [
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

/// An API and a worker that tell a collector.
async fn processes(desk: &Desk, collector: &str) -> [Watched; 2] {
    let told = [("SONGDA_OTLP_ENDPOINT", collector)];
    [desk.watched("serve", &told).await, desk.watched("work", &told).await]
}

/// Decides once, for this phone, as a caller that traces it; the decision, and the `traceparent` of the answer.
async fn decide(desk: &Desk, server: &Watched, phone: &str) -> (Decided, String) {
    let known = KnownOffice::new(desk).await;
    let api = server.api().await.with_token(known.token(desk).await);
    let call = api.post("/integration/v1/result-batches").once(phone);
    let call = call.header("traceparent", &format!("00-{TRACE}-{CALLER}-01"));
    let reply = call.json(&json!({"results": [result(phone)]})).success().await.unwrap();
    let row: &Value = &reply.rows().unwrap()[0];
    let number = row["case"]["number"].as_str().or(row["number"].as_str()).unwrap().to_owned();
    (Decided::by_phone(number, phone.to_owned()), reply.header("traceparent").to_owned())
}

/// A receipt that came after the worker had stopped would be read by nobody.
fn nobody_calls_back(desk: &Desk) {
    desk.sandbox.world().callbacks.aim(None);
}

/// The only span of a name.
fn the<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let named: Vec<&Span> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(named.len(), 1, "{name} among {spans:#?}");
    named[0]
}

#[tokio::test]
async fn a_decision_is_followed_from_the_request_to_the_gateways() {
    let (desk, collector, phone) = (Desk::open_idle(&[]).await, Collector::start().await, fresh_phone());
    nobody_calls_back(&desk);
    let [mut server, mut worker] = processes(&desk, &collector.endpoint).await;
    let signed_in = server.api().await.post("/v1/sessions/wechat").json(&json!({"code": "wx-traced"}));
    signed_in.success().await.unwrap();
    let (decided, answered) = decide(&desk, &server, &phone).await;
    came_once(&desk, std::slice::from_ref(&decided)).await;
    // Whoever stops brings away what it has.
    stops_softly(&mut server.process).await;
    stops_softly(&mut worker.process).await;
    let spans = collector.spans();

    let request = the(&spans, "POST /integration/v1/result-batches");
    assert_eq!((request.kind, request.id.0.as_str(), request.parent.as_str()), (SpanKind::Server, TRACE, CALLER));
    assert_eq!(answered, format!("00-{TRACE}-{}-01", request.id.1), "the answer names the span");
    let about = |span: &Span, name: &str| span.attributes.get(name).cloned().unwrap_or_default();
    assert_eq!(
        (about(request, "http.response.status_code"), about(request, "songda.caller")),
        ("207".into(), "client".into())
    );
    for (kind, lane, outcome, call) in [
        ("push", "push.sms_aliyun", "delivered", "POST sms_aliyun"),
        ("order_parcel", "courier.ems", "ordered", "POST ems"),
    ] {
        let attempt = the(&spans, kind);
        assert_eq!((attempt.kind, &attempt.links), (SpanKind::Consumer, &vec![request.id.clone()]), "{attempt:#?}");
        assert!(attempt.id.0 != TRACE && attempt.parent.is_empty(), "it has a trace of its own: {attempt:#?}");
        let said = ["songda.lane", "songda.outcome", "songda.job.state"].map(|name| about(attempt, name));
        assert_eq!(said, [lane, outcome, "done"]);
        let call = the(&spans, call);
        assert_eq!((call.kind, &call.id.0, &call.parent), (SpanKind::Client, &attempt.id.0, &attempt.id.1));
    }
    let (sign_in, asked) = (the(&spans, "POST /v1/sessions/wechat"), the(&spans, "GET wechat"));
    assert_eq!((&asked.id.0, &asked.parent), (&sign_in.id.0, &sign_in.id.1), "a request's own call is part of it");

    let kept =
        "select distinct kind, trace from jobs where kind in ('push', 'order_parcel', 'track_parcel') order by kind";
    let kept: Vec<(String, Option<String>)> = sqlx::query_as(kept).fetch_all(&desk.database).await.unwrap();
    let all = ["order_parcel", "push", "track_parcel"].map(|kind| (kind.to_owned(), Some(answered.clone())));
    assert_eq!(kept, all, "what follows from a job leads back to the request as well");

    nothing_personal(&spans, &[&decided.number, &phone, "王小明", "IT-0001", "清风路", "wx-traced", "openid"]);
    assert!(server.log().contains(&format!(r#""trace":"{TRACE}""#)), "the log leads to the trace: {}", server.log());
    desk.close().await;
}

fn nothing_personal(spans: &[Span], personal: &[&str]) {
    for span in spans {
        let unknown: Vec<&String> = span.attributes.keys().filter(|name| !SAID.contains(&name.as_str())).collect();
        assert!(unknown.is_empty(), "{unknown:?} is said in {span:#?}");
        for private in personal {
            assert!(!span.whole.contains(private), "{private} is in {span:#?}");
        }
    }
}

#[tokio::test]
async fn a_collector_that_never_answers_harms_nobody() {
    let (desk, phone) = (Desk::open_idle(&[]).await, fresh_phone());
    // Connections to it stand, and that is all.
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    nobody_calls_back(&desk);
    let [mut server, mut worker] = processes(&desk, &format!("http://{}", silent.local_addr().unwrap())).await;
    let (decided, _) = decide(&desk, &server, &phone).await;
    came_once(&desk, &[decided]).await;
    stops_softly(&mut server.process).await;
    stops_softly(&mut worker.process).await;
    drop(silent);
    desk.close().await;
}
