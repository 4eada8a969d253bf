//! The data that all twins (simulated gateways) share: phones, parcels, faults, callbacks to Songda, and the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use poem::Response;
use serde_json::Value;

use super::callbacks::{Callback, Callbacks};
use super::counters::Counters;
use super::disturbed::{garbage, server_error, severed};
use super::faults::{CallTarget, Denial, FaultKind, Faults};
use super::parcels::Parcels;
use super::phones::Phones;
use super::world_settings::{Movement, WorldSettings};
use crate::domain::kernel::clock::Instant;
use crate::lifecycle::Tasks;

/// The wait before each try of a callback, for gateways that do not publish their waits. The values are a guess.
const UNPUBLISHED_WAITS: &[Duration] =
    &[Duration::ZERO, Duration::from_secs(60), Duration::from_secs(300), Duration::from_secs(900)];

pub struct World {
    pub phones: Phones,
    pub parcels: Arc<Parcels>,
    pub faults: Arc<Faults>,
    pub counters: Arc<Counters>,
    pub callbacks: Arc<Callbacks>,
    pub movement: Movement,
    pub(super) settings: WorldSettings,
    sequence: AtomicU64,
}

impl World {
    pub(super) fn new(settings: WorldSettings, tasks: &Tasks) -> Self {
        let parcels = Arc::new(Parcels::default());
        let counters = Arc::new(Counters::default());
        let faults = Arc::new(Faults::default());
        let callbacks = Callbacks::new(&settings, tasks, &parcels, &faults, &counters);
        // Numbers begin with the current time, so that a restarted sandbox does not repeat numbers.
        let first = settings.clock.now().timestamp_micros().unsigned_abs();
        Self {
            phones: Phones::default(),
            parcels,
            faults,
            counters,
            callbacks: Arc::new(callbacks),
            movement: settings.movement,
            settings,
            sequence: AtomicU64::new(first),
        }
    }

    pub fn now(&self) -> Instant {
        self.settings.clock.now()
    }

    /// Returns a number that was never returned before.
    pub fn next_number(&self) -> u64 {
        self.sequence.fetch_add(1, Ordering::Relaxed)
    }

    /// Builds a callback with a JSON body. By default the callback reports on no parcel order, and any answer with a
    /// 2xx status acknowledges it.
    pub fn callback(&self, gateway: &'static str, recipient: &str, body: &Value) -> Callback {
        Callback {
            gateway,
            recipient: recipient.to_owned(),
            path: format!("/callbacks/{gateway}/{}", self.settings.callback_secret(gateway)),
            query: Vec::new(),
            content_type: "application/json;charset=UTF-8",
            body: body.to_string().into(),
            accepts: Arc::new(|_| true),
            waits: UNPUBLISHED_WAITS,
            about: Vec::new(),
        }
    }

    /// Serves a call to a twin (simulated gateway), and applies the fault that strikes the call, if any.
    ///
    /// `act` does the work of the call and returns the response. If `act` gets a [`Denial`], it must not carry the call
    /// out, but return the gateway's own refusal.
    pub async fn perform(
        &self,
        target: CallTarget<'_>,
        act: impl FnOnce(Option<Denial>) -> Response + Send,
    ) -> Response {
        self.counters.count(target.gateway, target.operation);
        let _under_way = self.counters.begin(target.gateway);
        let Some(strike) = self.faults.strike(target) else { return act(None) };
        match strike.fault {
            FaultKind::ExpiredToken => act(Some(Denial::ExpiredToken)),
            FaultKind::UserRefused => act(Some(Denial::UserRefused)),
            FaultKind::UnknownNumber => act(Some(Denial::UnknownNumber)),
            FaultKind::Throttle => act(Some(Denial::Throttled)),
            FaultKind::Http500Html => server_error(),
            FaultKind::Garbage200 => {
                drop(act(None));
                garbage()
            }
            // The twin does the work before the wait. If the caller hangs up during the wait, this future is dropped,
            // and nothing after the wait runs.
            FaultKind::Slow => {
                let answer = act(None);
                tokio::time::sleep(strike.delay.unwrap_or(Duration::from_secs(3))).await;
                answer
            }
            FaultKind::TimeoutBefore => severed(strike.delay).await,
            FaultKind::TimeoutAfterCommit => {
                drop(act(None));
                severed(strike.delay).await
            }
            FaultKind::CollectedUnheard => {
                drop(act(None));
                self.parcels.collect(target.gateway, target.recipient, self.now());
                severed(strike.delay).await
            }
            // `Faults::strike` never returns these faults of callbacks and deliveries.
            FaultKind::DuplicateCallback
            | FaultKind::ReorderCallbacks
            | FaultKind::DropCallback
            | FaultKind::Undelivered => act(None),
        }
    }

    pub(super) fn reset(&self) {
        self.phones.clear();
        self.parcels.clear();
        self.faults.clear();
        self.counters.clear();
        drop(self.callbacks.take_held());
    }
}
