//! The metrics that real processes export during a journey. The files under `deploy` must use only metrics that exist.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use songda::demo::http::Caller;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::files;
use super::scrape::Scrape;
use crate::support::answers::assert_problem;
use crate::support::arrivals::{Decided, assert_arrived_once};
use crate::support::desk::Desk;
use crate::support::office::Office;
use crate::support::wait::wait_until;

const COUNT: usize = 3;

#[tokio::test]
async fn a_journey_is_counted_and_the_files_use_only_metrics_that_exist() {
    let desk = Desk::builder().without_worker().open().await;
    let server = desk.watched("serve", &[]).await;
    let api = server.api().await;
    let decided = Office::register(&desk).await.at(&api).decide(COUNT).await;

    let waiting = Scrape::of(&server).await;
    let count = COUNT as f64;
    let due = |lane| waiting.sum("songda_jobs", &[("lane", lane), ("state", "due")]);
    assert_eq!((due("push.sms_aliyun"), due("courier.ems"), due("inside")), (Some(count), Some(count), Some(0.0)));
    let oldest = |lane| waiting.sum("songda_job_oldest_due_age_seconds", &[("lane", lane)]).unwrap();
    assert!(oldest("push.sms_aliyun") > 0.0 && oldest("inside") == 0.0, "{}", waiting.text);

    let worker = desk.watched("work", &[]).await;
    assert_arrived_once(&desk, &decided).await;
    let served = Scrape::of(&server).await;
    let worked = Scrape::of(&worker).await;
    let route = [("method", "POST"), ("route", "/integration/v1/result-batches")];
    assert_eq!(served.sum("songda_http_requests_total", &[&route[..], &[("status", "2xx")]].concat()), Some(1.0));
    assert_eq!(served.sum("songda_http_request_duration_seconds_count", &route), Some(1.0));
    assert_eq!(served.sum("songda_job_offers_total", &[("by", "relay")]), Some(2.0 * count));
    assert_jobs_are_counted(&worked, count);
    for scrape in [&served, &worked] {
        assert_eq!(scrape.sum("songda_store_up", &[]), Some(2.0), "PostgreSQL and Redis answer");
        assert!(scrape.sum("songda_database_connection_wait_seconds_count", &[]) > Some(0.0));
        for Decided { number, phone, .. } in &decided {
            assert!(!scrape.text.contains(number.as_str()) && !scrape.text.contains(phone.as_str()), "{}", scrape.text);
        }
        files::assert_promtool_accepts(&scrape.text).await;
    }
    assert_files_fit(&[served, worked]);
    assert_not_public(&api).await;
    // The processes run until the desk is closed, because receipts of gateways can come late.
    desk.close().await;
    drop((server, worker));
}

fn assert_jobs_are_counted(worked: &Scrape, count: f64) {
    for (lane, kind, outcome) in [("push.sms_aliyun", "push", "delivered"), ("courier.ems", "order_parcel", "ordered")]
    {
        let labels = [("lane", lane), ("kind", kind), ("outcome", outcome), ("state", "done")];
        assert_eq!(worked.sum("songda_job_attempts_total", &labels), Some(count), "{}", worked.text);
        assert_eq!(worked.sum("songda_job_attempt_duration_seconds_count", &labels[..1]), Some(count));
        assert_eq!(worked.sum("songda_job_leases_taken_over_total", &labels[..1]), Some(0.0));
        assert_eq!(worked.sum("songda_lane_breaker", &[("lane", lane), ("state", "closed")]), Some(1.0));
        let gateway = lane.split_once('.').unwrap().1;
        let calls = worked.sum("songda_gateway_call_duration_seconds_count", &[("gateway", gateway), ("class", "2xx")]);
        assert_eq!(calls, Some(count), "{gateway}");
    }
}

/// Asserts that every metric in the rules and the dashboard exists with the labels that they use, and that every metric
/// is documented.
fn assert_files_fit(scrapes: &[Scrape]) {
    let mut exported: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, labels) in scrapes.iter().flat_map(Scrape::names) {
        exported.entry(name).or_default().extend(labels);
    }
    let mut missing = Vec::new();
    for query in files::queries() {
        match exported.get(&query.metric) {
            None => missing.push(format!("{}: there is no metric {}", query.place, query.metric)),
            Some(labels) => {
                let unknown = query.labels.iter().filter(|label| !labels.contains(*label));
                missing.extend(unknown.map(|label| format!("{}: {} has no {label}", query.place, query.metric)));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    let families: BTreeSet<String> = scrapes.iter().flat_map(|scrape| scrape.families.keys().cloned()).collect();
    assert_eq!(files::documented(), families, "docs/operations/watch.md lists every metric, and no other");
}

/// Asserts that the API's own listener does not serve metrics.
async fn assert_not_public(api: &Caller) {
    assert_problem(&api.get("/metrics").answer().await.unwrap(), 404, "not_found");
}

#[tokio::test]
async fn live_clients_are_counted_while_they_are_connected() {
    let desk = Desk::builder().without_worker().open().await;
    let server = desk.watched("serve", &[]).await;
    let signed_in = desk.api.post("/v1/sessions/wechat").json(&json!({"code": "wx-live"})).success().await.unwrap();
    let token = signed_in.text("/access_token").unwrap();
    let clients = async || Scrape::of(&server).await.sum("songda_live_clients", &[]);
    assert_eq!(clients().await, Some(0.0));

    let api = server.api().await;
    let address = api.base().socket_addrs(|| None).unwrap()[0];
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /v1/events HTTP/1.1\r\nhost: songda\r\nauthorization: Bearer {token}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut begun = [0; 12];
    stream.read_exact(&mut begun).await.unwrap();
    assert_eq!(&begun, b"HTTP/1.1 200");
    assert_eq!(clients().await, Some(1.0));
    drop(stream);
    wait_until("the client is no longer counted", async || clients().await == Some(0.0)).await;
    drop(server);
    desk.close().await;
}
