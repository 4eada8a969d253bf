//! A journey through real processes, as it is counted; and what is counted is what the files ask for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use songda::demo::fresh_phone;
use songda::demo::http::Caller;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::files;
use super::scrape::Scrape;
use crate::support::desk::{Desk, wait_until};
use crate::support::office::{Decided, KnownOffice, came_once, result};

const COUNT: usize = 3;

/// Decides at a process.
async fn decided_at(desk: &Desk, api: &Caller) -> Vec<Decided> {
    let known = KnownOffice::new(desk).await;
    let phones: Vec<String> = (0..COUNT).map(|_| fresh_phone()).collect();
    let rows: Vec<Value> = phones.iter().map(|phone| result(phone)).collect();
    let call = api.with_token(known.token(desk).await).post("/integration/v1/result-batches").once("watched");
    let reply = call.json(&json!({"results": rows})).success().await.unwrap();
    let number = |row: &Value| row["case"]["number"].as_str().or(row["number"].as_str()).unwrap().to_owned();
    let rows = reply.rows().unwrap();
    rows.iter().zip(phones).map(|(row, phone)| Decided::by_phone(number(row), phone)).collect()
}

#[tokio::test]
async fn a_journey_is_counted_and_the_files_ask_for_what_is_counted() {
    let desk = Desk::open_idle(&[]).await;
    let server = desk.watched("serve", &[]).await;
    let api = server.api().await;
    let decided = decided_at(&desk, &api).await;

    let waiting = Scrape::of(&server).await;
    let count = COUNT as f64;
    let due = |lane| waiting.sum("songda_jobs", &[("lane", lane), ("state", "due")]);
    assert_eq!((due("push.sms_aliyun"), due("courier.ems"), due("inside")), (Some(count), Some(count), Some(0.0)));
    let oldest = |lane| waiting.sum("songda_job_oldest_due_age_seconds", &[("lane", lane)]).unwrap();
    assert!(oldest("push.sms_aliyun") > 0.0 && oldest("inside") == 0.0, "{}", waiting.text);

    let worker = desk.watched("work", &[]).await;
    came_once(&desk, &decided).await;
    let (served, worked) = (Scrape::of(&server).await, Scrape::of(&worker).await);
    let route = [("method", "POST"), ("route", "/integration/v1/result-batches")];
    assert_eq!(served.sum("songda_http_requests_total", &[&route[..], &[("status", "2xx")]].concat()), Some(1.0));
    assert_eq!(served.sum("songda_http_request_duration_seconds_count", &route), Some(1.0));
    assert_eq!(served.sum("songda_job_offers_total", &[("by", "relay")]), Some(2.0 * count));
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
    for scrape in [&served, &worked] {
        assert_eq!(scrape.sum("songda_store_up", &[]), Some(2.0), "both answer");
        assert!(scrape.sum("songda_database_connection_wait_seconds_count", &[]) > Some(0.0));
        for Decided { number, phone, .. } in &decided {
            assert!(!scrape.text.contains(number.as_str()) && !scrape.text.contains(phone.as_str()), "{}", scrape.text);
        }
        files::judged_by_promtool(&scrape.text).await;
    }
    files_fit(&[served, worked]);
    not_for_the_public(&api).await;
    // They work to the end: a gateway's receipts may come late.
    desk.close().await;
    drop((server, worker));
}

/// What the rules and the dashboard ask for is there, with the labels that they ask by; and the documents name it all.
fn files_fit(scrapes: &[Scrape]) {
    let mut exported: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, labels) in scrapes.iter().flat_map(Scrape::names) {
        exported.entry(name).or_default().extend(labels);
    }
    let mut missing = Vec::new();
    for question in files::questions() {
        match exported.get(&question.metric) {
            None => missing.push(format!("{}: nobody exports {}", question.place, question.metric)),
            Some(labels) => {
                let unknown = question.labels.iter().filter(|label| !labels.contains(*label));
                missing.extend(unknown.map(|label| format!("{}: {} has no {label}", question.place, question.metric)));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    let families: BTreeSet<String> = scrapes.iter().flat_map(|scrape| scrape.families.keys().cloned()).collect();
    assert_eq!(files::documented(), families, "docs/operations.md tells of every metric, and of no other");
}

/// The API's own listener does not tell what is counted.
async fn not_for_the_public(api: &Caller) {
    let reply = api.get("/metrics").answer().await.unwrap();
    assert_eq!((reply.status.as_u16(), reply.text("/code").unwrap().as_str()), (404, "not_found"));
}

#[tokio::test]
async fn live_clients_are_counted_while_they_are_there() {
    let desk = Desk::open_idle(&[]).await;
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
    wait_until("the client is missed", async || clients().await == Some(0.0)).await;
    drop(server);
    desk.close().await;
}
