//! What stands around a body: paths, queries and headers.

use form_urlencoded::byte_serialize;
use poem::http::HeaderValue;
use poem::test::TestClient;
use proptest::prelude::*;
use songda::lifecycle::Tasks;

use super::known::Known;
use super::mangle::{self, Mangled};
use super::operation::{Asked, Operation};
use super::seeds;
use crate::api::edge::HASTY;
use crate::support::desk::Desk;

/// Headers that are read, by us or by what we stand on. What a seed says of one is in `tests/seeds/headers`.
const HEADERS: [&str; 16] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "content-encoding",
    "content-type",
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

/// As it stands in a URL.
fn encoded(Mangled(bytes): &Mangled) -> String {
    byte_serialize(bytes).collect::<String>().replace('+', "%20")
}

fn words() -> Vec<Vec<u8>> {
    seeds::texts("words").iter().flat_map(|words| words.lines().map(|line| line.as_bytes().to_vec())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_parameter_is_too_strange() {
    let (mut desk, app) = Desk::open_api(&HASTY).await;
    desk.leave_jobs();
    let known = Known::on(&desk).await;
    let server = TestClient::new(app.routes(&Tasks::new().stopping()).unwrap());
    let word = mangle::bytes(words());
    let count = mangle::cases() / 16;
    for operation in Operation::all().iter().filter(|operation| operation.ends()) {
        let asked = operation.asked(&known);
        for parameter in operation.parameters("query") {
            for word in mangle::some(&word, count) {
                let target = format!("{}?{}={}", asked.target, parameter["name"].as_str().unwrap(), encoded(&word));
                operation.ask(&server, &Asked { target, ..asked.clone() }).await;
            }
        }
        for parameter in operation.parameters("path") {
            let thing = known.thing(parameter);
            for word in mangle::some(&mangle::bytes([words(), vec![thing.into()]].concat()), count) {
                // An empty name is another address.
                if !word.0.is_empty() {
                    let target = asked.target.replace(thing, &encoded(&word));
                    operation.ask(&server, &Asked { target, ..asked.clone() }).await;
                }
            }
        }
    }
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_header_is_too_strange() {
    let (mut desk, app) = Desk::open_api(&HASTY).await;
    desk.leave_jobs();
    let known = Known::on(&desk).await;
    let server = TestClient::new(app.routes(&Tasks::new().stopping()).unwrap());
    let values =
        mangle::bytes(words()).prop_filter_map("no header", |mangled| HeaderValue::from_bytes(&mangled.0).ok());
    let headers = prop::collection::vec((prop::sample::select(HEADERS.to_vec()), values), 1..4);
    for operation in Operation::all().iter().filter(|operation| operation.ends()) {
        for headers in mangle::some(&headers, mangle::cases() / 16) {
            let mut asked = operation.asked(&known);
            for (name, value) in headers {
                asked.headers.retain(|(known, _)| known != name);
                asked.headers.push((name.to_owned(), value));
            }
            operation.ask(&server, &asked).await;
        }
    }
    desk.close().await;
}
