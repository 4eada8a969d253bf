//! Sends requests with damaged values in paths, queries and headers.

use form_urlencoded::byte_serialize;
use poem::http::HeaderValue;
use poem::test::TestClient;
use proptest::prelude::*;
use songda::lifecycle::Tasks;

use super::known::Known;
use super::mangle::{self, Mangled};
use super::operation::{Operation, Request};
use super::seeds;
use crate::support::desk::Desk;
use crate::support::settings::UNLIMITED;

/// Headers that our code or a library reads. Seeds for their values are in `tests/seeds/words`.
const HEADERS: [&str; 17] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "content-encoding",
    "content-type",
    "forwarded",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "last-event-id",
    "origin",
    "prefer",
    "range",
    "traceparent",
    "x-forwarded-for",
    "x-request-id",
];

/// Percent-encodes bytes, as in a URL.
fn encoded(Mangled(bytes): &Mangled) -> String {
    byte_serialize(bytes).collect::<String>().replace('+', "%20")
}

fn words() -> Vec<Vec<u8>> {
    seeds::texts("words").iter().flat_map(|words| words.lines().map(|line| line.as_bytes().to_vec())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn any_parameter_is_answered_as_documented() {
    let mut desk = Desk::builder().settings(&UNLIMITED).without_worker().open().await;
    desk.leave_jobs();
    let known = Known::on(&desk).await;
    let server = TestClient::new(desk.app.routes(&Tasks::new().stopping()).unwrap());
    let word = mangle::bytes(words());
    let count = mangle::cases() / 16;
    for operation in Operation::all().iter().filter(|operation| operation.ends()) {
        let request = operation.request(&known);
        for parameter in operation.parameters("query") {
            for word in mangle::some(&word, count) {
                let target = format!("{}?{}={}", request.target, parameter["name"].as_str().unwrap(), encoded(&word));
                operation.send(&server, &Request { target, ..request.clone() }).await;
            }
        }
        for parameter in operation.parameters("path") {
            let id = known.id(parameter);
            for word in mangle::some(&mangle::bytes([words(), vec![id.into()]].concat()), count) {
                // An empty segment is another path.
                if !word.0.is_empty() {
                    let target = request.target.replace(id, &encoded(&word));
                    operation.send(&server, &Request { target, ..request.clone() }).await;
                }
            }
        }
    }
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_header_is_answered_as_documented() {
    let mut desk = Desk::builder().settings(&UNLIMITED).without_worker().open().await;
    desk.leave_jobs();
    let known = Known::on(&desk).await;
    let server = TestClient::new(desk.app.routes(&Tasks::new().stopping()).unwrap());
    let values = mangle::bytes(words())
        .prop_filter_map("not a header value", |mangled| HeaderValue::from_bytes(&mangled.0).ok());
    let headers = prop::collection::vec((prop::sample::select(HEADERS.to_vec()), values), 1..4);
    for operation in Operation::all().iter().filter(|operation| operation.ends()) {
        for headers in mangle::some(&headers, mangle::cases() / 16) {
            let mut request = operation.request(&known);
            for (name, value) in headers {
                request.headers.retain(|(known, _)| known != name);
                request.headers.push((name.to_owned(), value));
            }
            operation.send(&server, &request).await;
        }
    }
    desk.close().await;
}
