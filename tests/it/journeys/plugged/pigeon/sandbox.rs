//! The pigeons' twin: `POST /pigeon/notes` is answered 201 after the pigeon arrived, and 410 if its loft is gone.

use std::collections::BTreeMap;
use std::sync::Arc;

use poem::http::StatusCode;
use poem::{Response, Route, post};
use serde::Deserialize;
use songda::env::Env;
use songda::sandbox::call::{TwinCall, endpoint};
use songda::sandbox::faults::{CallTarget, Denial};
use songda::sandbox::phones::IncomingMessage;
use songda::sandbox::{Twin, World};

const NAME: &str = "pigeon";

pub fn twin(_env: &mut Env) -> Option<Arc<dyn Twin>> {
    Some(Arc::new(Pigeons))
}

struct Pigeons;

#[derive(Deserialize)]
struct Note {
    loft: String,
    number: String,
    form: String,
    words: BTreeMap<String, String>,
}

impl Twin for Pigeons {
    fn name(&self) -> &'static str {
        NAME
    }

    fn protocol(self: Arc<Self>, world: &Arc<World>) -> Route {
        Route::new().at("/notes", post(endpoint(&self, world, Self::take)))
    }
}

impl Pigeons {
    async fn take(self: Arc<Self>, world: Arc<World>, call: TwinCall) -> Response {
        let Ok(note) = serde_json::from_slice::<Note>(&call.body) else { return StatusCode::BAD_REQUEST.into() };
        let loft = note.loft.clone();
        let answer = |refusal| match refusal {
            None => fly(&world, note),
            Some(Denial::Throttled) => StatusCode::TOO_MANY_REQUESTS.into(),
            Some(_) => StatusCode::GONE.into(),
        };
        world.perform(CallTarget { gateway: NAME, operation: "note", recipient: &loft }, answer).await
    }
}

/// Brings a note to its loft, unless a note with the same number is there already.
fn fly(world: &World, note: Note) -> Response {
    let Note { loft, number, form, words } = note;
    if !world.phones.of(&loft).iter().any(|message| message.key.as_ref() == Some(&number)) {
        let reference = world.next_number().to_string();
        let message = IncomingMessage {
            channel: NAME,
            address: loft,
            template: form,
            fields: words,
            key: Some(number),
            reference,
        };
        world.phones.deliver(message, world.now());
    }
    StatusCode::CREATED.into()
}
