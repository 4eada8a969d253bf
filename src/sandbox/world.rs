//! What all twins share: the phones, the parcels, the faults, the way back to Songda, and the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use poem::Response;

use super::call::{garbage, server_error, severed};
use super::callbacks::Callbacks;
use super::counters::Counters;
use super::faults::{CallFault, Faults, Refusal};
use super::parcels::Parcels;
use super::phones::Phones;
use super::settings::{Pace, Settings};
use crate::domain::kernel::clock::{Clock, Instant};
use crate::lifecycle::Tasks;

/// Who is asked to do what for whom.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The twin's name.
    pub gateway: &'static str,
    /// The operation, as the gateway names it.
    pub operation: &'a str,
    /// The phone number, openid or name that a fault may be asked for by; may be empty.
    pub recipient: &'a str,
}

/// The sandbox's memory.
pub struct World {
    /// What phones received.
    pub phones: Phones,
    /// What carriers hold.
    pub parcels: Arc<Parcels>,
    /// What is to go wrong.
    pub faults: Arc<Faults>,
    /// Counts of all kinds.
    pub counters: Arc<Counters>,
    /// The way back to Songda.
    pub callbacks: Arc<Callbacks>,
    /// When parcels move on.
    pub pace: Pace,
    clock: Clock,
    sequence: AtomicU64,
}

impl World {
    /// An empty world.
    pub(super) fn new(settings: &Settings, tasks: &Tasks) -> Self {
        let parcels = Arc::new(Parcels::default());
        let counters = Arc::new(Counters::default());
        let faults = Arc::new(Faults::default());
        let callbacks = Callbacks::new(settings, tasks, &parcels, &faults, &counters);
        // Numbers go on from the time of the start, so that a new run does not hand out those of the last one.
        let first = settings.clock.now().timestamp_micros().unsigned_abs();
        Self {
            phones: Phones::default(),
            parcels,
            faults,
            counters,
            callbacks: Arc::new(callbacks),
            pace: settings.pace,
            clock: settings.clock.clone(),
            sequence: AtomicU64::new(first),
        }
    }

    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// A number that was never given before.
    pub fn next_number(&self) -> u64 {
        self.sequence.fetch_add(1, Ordering::Relaxed)
    }

    /// Lets a twin do what it was asked for, unless a fault strikes.
    ///
    /// `act` commits and answers at once; it is told when it should refuse instead, in the gateway's own words.
    pub async fn perform(&self, target: Target<'_>, act: impl FnOnce(Option<Refusal>) -> Response + Send) -> Response {
        self.counters.count(target.gateway, target.operation);
        let _under_way = self.counters.begin(target.gateway);
        let Some(strike) = self.faults.strike(target) else { return act(None) };
        match strike.fault {
            CallFault::Refuse(refusal) => act(Some(refusal)),
            CallFault::Http500Html => server_error(),
            CallFault::Garbage200 => {
                drop(act(None));
                garbage()
            }
            // What is slow is committed first: a caller that hangs up meanwhile ends this future.
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

    /// Forgets everything but where callbacks go.
    pub(super) fn reset(&self) {
        self.phones.clear();
        self.parcels.clear();
        self.faults.clear();
        self.counters.clear();
        drop(self.callbacks.take_held());
    }
}
