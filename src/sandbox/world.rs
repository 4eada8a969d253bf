//! What all twins share: phones, parcels, faults, callbacks to Songda, and the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use poem::Response;

use super::callbacks::Callbacks;
use super::counters::Counters;
use super::disturbed::{garbage, server_error, severed};
use super::faults::{CallFault, CallTarget, Denial, Faults};
use super::parcels::Parcels;
use super::phones::Phones;
use super::world_settings::{Movement, WorldSettings};
use crate::domain::kernel::clock::{Clock, Instant};
use crate::domain::kernel::private::Private;
use crate::lifecycle::Tasks;

/// The sandbox's shared data.
pub struct World {
    /// What phones received.
    pub phones: Phones,
    /// What carriers hold.
    pub parcels: Arc<Parcels>,
    pub faults: Arc<Faults>,
    pub counters: Arc<Counters>,
    /// Calls from the twins to Songda.
    pub callbacks: Arc<Callbacks>,
    pub movement: Movement,
    callback_secret: Private<String>,
    clock: Clock,
    sequence: AtomicU64,
}

impl World {
    pub(super) fn new(settings: WorldSettings, tasks: &Tasks) -> Self {
        let parcels = Arc::new(Parcels::default());
        let counters = Arc::new(Counters::default());
        let faults = Arc::new(Faults::default());
        let callbacks = Callbacks::new(&settings, tasks, &parcels, &faults, &counters);
        // Numbers start at the time of the start, so that a new run does not repeat those of the last one.
        let first = settings.clock.now().timestamp_micros().unsigned_abs();
        Self {
            phones: Phones::default(),
            parcels,
            faults,
            counters,
            callbacks: Arc::new(callbacks),
            movement: settings.movement,
            callback_secret: settings.callback_secret,
            clock: settings.clock,
            sequence: AtomicU64::new(first),
        }
    }

    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// A number that was never given before.
    pub fn next_number(&self) -> u64 {
        self.sequence.fetch_add(1, Ordering::Relaxed)
    }

    /// The path on which a gateway calls Songda, its secret part included.
    pub fn callback_path(&self, gateway: &str) -> String {
        format!("/callbacks/{gateway}/{}", self.callback_secret.expose())
    }

    pub(super) fn callback_secret(&self) -> &str {
        self.callback_secret.expose()
    }

    /// Lets a twin serve a call, unless a fault strikes.
    ///
    /// `act` commits and answers at once. It gets a [`Denial`] if it must refuse in the gateway's own words instead.
    pub async fn perform(
        &self,
        target: CallTarget<'_>,
        act: impl FnOnce(Option<Denial>) -> Response + Send,
    ) -> Response {
        self.counters.count(target.gateway, target.operation);
        let _under_way = self.counters.begin(target.gateway);
        let Some(strike) = self.faults.strike(target) else { return act(None) };
        match strike.fault {
            CallFault::Deny(denial) => act(Some(denial)),
            CallFault::Http500Html => server_error(),
            CallFault::Garbage200 => {
                drop(act(None));
                garbage()
            }
            // A slow call commits first, because a caller that hangs up meanwhile ends this future.
            CallFault::Slow => {
                let answer = act(None);
                tokio::time::sleep(strike.delay.unwrap_or(Duration::from_secs(3))).await;
                answer
            }
            CallFault::TimeoutBefore => severed(strike.delay).await,
            CallFault::TimeoutAfterCommit => {
                drop(act(None));
                severed(strike.delay).await
            }
            CallFault::CollectedUnheard => {
                drop(act(None));
                self.parcels.collect(target.gateway, target.recipient, self.now());
                severed(strike.delay).await
            }
        }
    }

    /// Deletes all data except the address for callbacks.
    pub(super) fn reset(&self) {
        self.phones.clear();
        self.parcels.clear();
        self.faults.clear();
        self.counters.clear();
        drop(self.callbacks.take_held());
    }
}
