//! `/_sandbox`: the sandbox's own API, for tests, the demonstration and integrators.
//!
//! | call | does |
//! |---|---|
//! | `GET phones`, `GET phones/{address}` | lists what phones received |
//! | `GET parcels` | lists all parcels, by carrier |
//! | `GET counters` | returns the numbers of calls, callbacks, faults, messages and parcels |
//! | `POST faults {gateway, operation?, fault, times \| share, delay_ms?}` | requests a fault (see [`super::faults`]) |
//! | `GET faults`, `DELETE faults` | returns how often each fault happened; cancels all requested faults |
//! | `POST parcels/{order_no}/advance {steps?}`, `POST advance-all {steps?}` | adds scans to one parcel or to all |
//! | `PUT callbacks {base_url}` | sets Songda's address |
//! | `POST reset` | deletes all data, but not Songda's address |

use std::sync::Arc;
use std::time::Duration;

use poem::http::StatusCode;
use poem::web::{Data, Json, Path};
use poem::{EndpointExt, IntoEndpoint, Response, Route, get, handler, post, put};
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};

use super::call;
use super::faults::{FaultKind, FaultOrder, Often};
use super::state::Sandbox;

type Shared<'a> = Data<&'a Arc<Sandbox>>;

pub(super) fn routes(sandbox: &Arc<Sandbox>) -> impl IntoEndpoint<Endpoint: 'static> + use<> {
    Route::new()
        .at("/phones", get(phones))
        .at("/phones/:address", get(phone))
        .at("/parcels", get(parcels))
        .at("/parcels/:order_no/advance", post(advance))
        .at("/advance-all", post(advance_all))
        .at("/counters", get(counters))
        .at("/faults", get(faults).post(order_fault).delete(cancel_faults))
        .at("/callbacks", put(aim))
        .at("/reset", post(reset))
        .data(Arc::clone(sandbox))
}

#[handler]
fn phones(Data(sandbox): Shared<'_>) -> Json<Value> {
    let all = sandbox.world.phones.all();
    let phones = all.into_iter().map(|(address, messages)| json!({ "address": address, "messages": messages }));
    Json(json!({ "data": phones.collect::<Vec<_>>() }))
}

#[handler]
fn phone(Data(sandbox): Shared<'_>, Path(address): Path<String>) -> Json<Value> {
    Json(json!({ "address": address, "messages": sandbox.world.phones.of(&address) }))
}

#[handler]
fn parcels(Data(sandbox): Shared<'_>) -> Json<Value> {
    let carriers = sandbox.world.parcels.all();
    let carriers = carriers.into_iter().map(|(carrier, parcels)| json!({ "carrier": carrier, "parcels": parcels }));
    Json(json!({ "data": carriers.collect::<Vec<_>>() }))
}

/// The optional body of `advance` and `advance-all`. By default one scan is added.
#[derive(Deserialize)]
struct Steps {
    steps: Option<usize>,
}

fn steps(body: Option<Json<Steps>>) -> usize {
    body.and_then(|Json(body)| body.steps).unwrap_or(1)
}

#[handler]
fn advance(Data(sandbox): Shared<'_>, Path(order_no): Path<String>, body: Option<Json<Steps>>) -> Response {
    match sandbox.advance(&order_no, steps(body)) {
        Some(scans) => call::json(StatusCode::OK, &json!({ "order_no": order_no, "scans": scans })),
        None => fault(StatusCode::NOT_FOUND, "no carrier holds such an order"),
    }
}

#[handler]
fn advance_all(Data(sandbox): Shared<'_>, body: Option<Json<Steps>>) -> Json<Value> {
    Json(json!({ "moved": sandbox.advance_all(steps(body)) }))
}

#[handler]
fn counters(Data(sandbox): Shared<'_>) -> Json<Value> {
    let world = &sandbox.world;
    let (messages, extra_copies) = world.phones.counts();
    let (live, cancelled) = world.parcels.counts();
    Json(json!({
        "messages": { "different": messages, "extra_copies": extra_copies },
        "parcels": { "live": live, "cancelled": cancelled },
        "calls": world.counters.all(),
        "faults": world.faults.injected(),
    }))
}

#[handler]
fn faults(Data(sandbox): Shared<'_>) -> Json<Value> {
    Json(json!({ "injected": sandbox.world.faults.injected() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedFault {
    gateway: String,
    operation: Option<String>,
    fault: FaultKind,
    times: Option<u64>,
    share: Option<f64>,
    delay_ms: Option<u64>,
}

#[handler]
fn order_fault(Data(sandbox): Shared<'_>, Json(wanted): Json<WantedFault>) -> Response {
    let WantedFault { gateway, operation, fault: kind, times, share, delay_ms } = wanted;
    if !sandbox.twins.iter().any(|twin| twin.name() == gateway) {
        return fault(StatusCode::BAD_REQUEST, "no such gateway");
    }
    let often = match (times, share) {
        (times, None) => Often::Times(times.unwrap_or(1)),
        (None, Some(share)) if (0.0..=1.0).contains(&share) => Often::Share(share),
        _ => return fault(StatusCode::BAD_REQUEST, "either times, or a share from 0 to 1"),
    };
    let delay = delay_ms.map(Duration::from_millis);
    sandbox.world.faults.order(FaultOrder { gateway, operation, fault: kind, often, delay });
    done()
}

#[handler]
fn cancel_faults(Data(sandbox): Shared<'_>) -> Response {
    sandbox.world.faults.cancel_orders();
    done()
}

#[derive(Deserialize)]
struct Aim {
    base_url: Option<String>,
}

#[handler]
fn aim(Data(sandbox): Shared<'_>, Json(aim): Json<Aim>) -> Response {
    let Ok(base_url) = aim.base_url.as_deref().map(Url::parse).transpose() else {
        return fault(StatusCode::BAD_REQUEST, "base_url is not a URL");
    };
    sandbox.world.callbacks.aim(base_url);
    done()
}

#[handler]
fn reset(Data(sandbox): Shared<'_>) -> Response {
    sandbox.reset();
    done()
}

/// Builds the response to a control call that succeeded: 204.
pub fn done() -> Response {
    StatusCode::NO_CONTENT.into()
}

/// Builds the response to a control call that is refused.
pub fn fault(status: StatusCode, words: &str) -> Response {
    call::json(status, &json!({ "error": words }))
}
