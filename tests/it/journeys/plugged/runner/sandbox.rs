//! The runner's twin: errands under `/runner/errands`, their stops under `/runner/tickets`, and a callback at every
//! stop.

use std::sync::Arc;
use std::time::Duration;

use poem::http::{Method, StatusCode};
use poem::{Response, Route, post};
use serde_json::{Value, json};
use songda::env::Env;
use songda::sandbox::call::{self, TwinCall, endpoint};
use songda::sandbox::callbacks::Callback;
use songda::sandbox::faults::CallTarget;
use songda::sandbox::json::Lenient;
use songda::sandbox::parcels::{Addressee, BookedParcel, Cancelled, Station};
use songda::sandbox::{Moved, Twin, World};

const NAME: &str = "runner";
const STOPS: &[Station] = &[("took_it", "取件"), ("at_the_gate", "到小区门口"), ("at_the_door", "送到")];
/// The waits before the tries of a callback: it is sent at once, and once more a minute later if it is not
/// acknowledged.
const TRIES: &[Duration] = &[Duration::ZERO, Duration::from_secs(60)];

pub fn twin(_env: &mut Env) -> Option<Arc<dyn Twin>> {
    Some(Arc::new(Runners))
}

struct Runners;

impl Twin for Runners {
    fn name(&self) -> &'static str {
        NAME
    }

    fn protocol(self: Arc<Self>, world: &Arc<World>) -> Route {
        Route::new()
            .at("/errands", post(endpoint(&self, world, Self::run)))
            .at("/errands/:number", endpoint(&self, world, Self::errand))
            .at("/tickets/:ticket", endpoint(&self, world, Self::ticket))
    }

    fn scanned(&self, world: &World, moved: &[Moved]) {
        world.callbacks.post(moved.iter().map(|moved| callback(world, &moved.parcel)).collect());
    }
}

impl Runners {
    /// Accepts an errand, or refuses one whose number is known.
    async fn run(self: Arc<Self>, world: Arc<World>, call: TwinCall) -> Response {
        let body = call.json().unwrap_or_default();
        let number = body.text("number");
        let phone = body.text("phone");
        let recipient = Addressee {
            name: body.text("name"),
            phone: phone.clone(),
            place: body.text("place"),
            detail: body.text("door"),
        };
        let answer = |refusal: Option<_>| {
            if refusal.is_some() {
                return StatusCode::TOO_MANY_REQUESTS.into();
            }
            let ticket = format!("R{}", world.next_number());
            let (parcel, new) =
                world.parcels.book(BookedParcel::new(NAME, number, ticket, recipient, STOPS, world.now()));
            if new { call::json(StatusCode::CREATED, &shown(&parcel)) } else { StatusCode::CONFLICT.into() }
        };
        world.perform(CallTarget { gateway: NAME, operation: "run", recipient: &phone }, answer).await
    }

    /// Looks an errand up, or cancels it.
    async fn errand(self: Arc<Self>, world: Arc<World>, call: TwinCall) -> Response {
        let number = last(&call);
        let cancel = || match world.parcels.cancel(NAME, number) {
            Cancelled::Now | Cancelled::Before => StatusCode::NO_CONTENT.into(),
            Cancelled::TooLate => StatusCode::LOCKED.into(),
            Cancelled::Absent => StatusCode::NOT_FOUND.into(),
        };
        let delete = call.method == Method::DELETE;
        let operation = if delete { "cancel" } else { "look up" };
        let answer = |_| if delete { cancel() } else { found(world.parcels.of_order(NAME, number)) };
        world.perform(CallTarget { gateway: NAME, operation, recipient: "" }, answer).await
    }

    async fn ticket(self: Arc<Self>, world: Arc<World>, call: TwinCall) -> Response {
        let answer = |_| found(world.parcels.of_waybill(NAME, last(&call)));
        world.perform(CallTarget { gateway: NAME, operation: "track", recipient: "" }, answer).await
    }
}

fn callback(world: &World, parcel: &BookedParcel) -> Callback {
    Callback {
        accepts: Arc::new(|answer| answer.status == StatusCode::NO_CONTENT),
        waits: TRIES,
        about: vec![(NAME, parcel.order_no.clone())],
        ..world.callback(NAME, &parcel.recipient.phone, &shown(parcel))
    }
}

fn last(call: &TwinCall) -> &str {
    call.path.rsplit('/').next().unwrap_or_default()
}

fn found(parcel: Option<BookedParcel>) -> Response {
    parcel.map_or_else(|| StatusCode::NOT_FOUND.into(), |parcel| call::json(StatusCode::OK, &shown(&parcel)))
}

/// Writes an errand in the runner's own format.
fn shown(parcel: &BookedParcel) -> Value {
    let stops = parcel.scans.iter().map(|scan| json!({ "what": scan.code, "place": scan.place, "at": scan.at }));
    json!({ "ticket": parcel.waybill, "number": parcel.order_no, "stops": stops.collect::<Vec<_>>() })
}
