//! Carrier pigeons (信鸽): the smallest possible channel. An address is the loft where the owner of a phone keeps
//! pigeons, registered by the owner's device.
//!
//! The gateway drops a note if a note with the same number has arrived before, so a repetition does no harm.

pub mod sandbox;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Method, StatusCode};
use serde_json::json;
use songda::domain::kernel::clock::Clock;
use songda::domain::kernel::pace::{Pace, PaceNames};
use songda::domain::kernel::private::Private;
use songda::domain::notice::notification::{ChannelCode, PushMessage};
use songda::domain::notice::reach::AddressKind;
use songda::env::Env;
use songda::gateway::push::{ChannelAdapter, PushChannel, PushFact, PushReport, Repeat};
use songda::gateway::shared::http::{Http, HttpNames};

/// The channel's entry in the registry.
pub const ADAPTER: ChannelAdapter = ChannelAdapter { code: "pigeon", build, field_fault: |_, _| None };

const HTTP: HttpNames = HttpNames {
    base_url: "SONGDA_PIGEON_URL",
    default_url: "https://pigeons.example",
    timeout: "SONGDA_PIGEON_TIMEOUT",
};

/// The default rate and the default number of slots are invented, as this gateway is.
const PACE: PaceNames =
    PaceNames { rate: "SONGDA_PIGEON_RATE", default_rate: "100", slots: "SONGDA_PIGEON_SLOTS", default_slots: "16" };

struct Pigeon {
    code: ChannelCode,
    pace: Pace,
    http: Http,
}

fn build(env: &mut Env, _clock: &Clock) -> Option<Arc<dyn PushChannel>> {
    let http = Http::read(env, &HTTP);
    let pace = Pace::read(env, &PACE);
    Some(Arc::new(Pigeon { code: ChannelCode::new(ADAPTER.code), pace: pace?, http: http? }))
}

#[async_trait]
impl PushChannel for Pigeon {
    fn code(&self) -> &ChannelCode {
        &self.code
    }

    fn pace(&self) -> Pace {
        self.pace
    }

    fn address_kind(&self) -> AddressKind {
        AddressKind::DeviceToken
    }

    fn time_limit(&self) -> Duration {
        self.http.time_limit()
    }

    fn repeat(&self) -> Repeat {
        Repeat::Deduplicated
    }

    async fn send(&self, to: &Private<String>, message: &PushMessage) -> PushReport {
        let note =
            json!({ "loft": to.expose(), "number": message.key, "form": message.template, "words": message.fields });
        let answer = match self.http.send(self.http.request(Method::POST, "notes").json(&note)).await {
            Ok(answer) => answer,
            Err(fault) => return fault.into(),
        };
        let fact = match answer.status {
            StatusCode::CREATED => PushFact::Delivered { reference: None },
            StatusCode::GONE => PushFact::Gone,
            _ => return PushReport::of_unreadable(&answer),
        };
        PushReport::new(fact, format!("HTTP {}", answer.status.as_u16()))
    }
}
