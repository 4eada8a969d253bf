//! Sends the HTTP callbacks of the twins to Songda. A callback is repeated until Songda gives the answer that the
//! gateway expects, or until its last try has failed.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use reqwest::{Method, Url, header};
use tokio::sync::Semaphore;

use super::counters::Counters;
use super::faults::{CallTarget, FaultKind, Faults};
use super::parcels::Parcels;
use super::shards::lock;
use super::world_settings::WorldSettings;
use crate::gateway::shared::http::{Http, HttpAnswer, HttpSettings};
use crate::lifecycle::Tasks;

/// Returns true if the gateway accepts this answer as the acknowledgement of a callback.
pub type Accepts = Arc<dyn Fn(&HttpAnswer) -> bool + Send + Sync>;

#[derive(Clone)]
pub struct Callback {
    /// The name of the twin (the simulated gateway) that sends the callback.
    pub gateway: &'static str,
    /// The phone or account of the person in the callback. A magic recipient causes a fault (see `faults.rs`).
    pub recipient: String,
    /// The path of Songda's callback endpoint, including the secret segment.
    pub path: String,
    pub query: Vec<(&'static str, String)>,
    pub content_type: &'static str,
    pub body: Bytes,
    pub accepts: Accepts,
    /// The wait before each try, including the first try. The number of waits is the number of tries.
    pub waits: &'static [Duration],
    /// The parcel orders that the callback reports on. Each is a carrier and an order number.
    pub about: Vec<(&'static str, String)>,
}

/// The maximum number of callbacks that run at once.
const AT_ONCE: usize = 64;
/// The time-out of one callback. This is WeChat's value, and the twins of other gateways use it too.
const TIME_OUT: Duration = Duration::from_secs(5);
/// An additional pause before each repetition of a callback. The time scale ([`WorldSettings::time_scale`]) shortens
/// the waits of a callback, but not this pause.
const LEAST_PAUSE: Duration = Duration::from_millis(250);
/// The operation name of all callbacks. A fault strikes callbacks only if the test requested it for this operation, or
/// for no particular operation.
const OPERATION: &str = "callback";

pub struct Callbacks {
    target: RwLock<Option<Http>>,
    permits: Semaphore,
    scale: u32,
    held: Mutex<Vec<Callback>>,
    tasks: Tasks,
    parcels: Arc<Parcels>,
    faults: Arc<Faults>,
    counters: Arc<Counters>,
}

impl Callbacks {
    pub(super) fn new(
        settings: &WorldSettings,
        tasks: &Tasks,
        parcels: &Arc<Parcels>,
        faults: &Arc<Faults>,
        counters: &Arc<Counters>,
    ) -> Self {
        let callbacks = Self {
            target: RwLock::default(),
            permits: Semaphore::new(AT_ONCE),
            scale: settings.time_scale.max(1),
            held: Mutex::default(),
            tasks: tasks.clone(),
            parcels: Arc::clone(parcels),
            faults: Arc::clone(faults),
            counters: Arc::clone(counters),
        };
        callbacks.aim(settings.callback_url.clone());
        callbacks
    }

    /// Sets Songda's address. Without an address, callbacks are counted and dropped.
    pub fn aim(&self, base_url: Option<Url>) {
        let http = base_url.and_then(|base_url| {
            Http::new(&HttpSettings::new("songda", base_url, TIME_OUT))
                .inspect_err(|error| tracing::error!(%error, "no client for callbacks"))
                .ok()
        });
        *self.target.write().unwrap_or_else(PoisonError::into_inner) = http;
    }

    /// Sends callbacks in order. A requested fault can drop, double or delay a callback.
    pub fn post(self: &Arc<Self>, callbacks: Vec<Callback>) {
        let mut batch = Vec::with_capacity(callbacks.len());
        for callback in callbacks {
            let gateway = callback.gateway;
            let recipient = callback.recipient.as_str();
            match self.faults.strike_callback(CallTarget { gateway, operation: OPERATION, recipient }) {
                Some(FaultKind::DropCallback) => self.counters.count(gateway, "callback dropped"),
                Some(FaultKind::ReorderCallbacks) => lock(&self.held).push(callback),
                Some(FaultKind::DuplicateCallback) => batch.extend([callback.clone(), callback]),
                _ => batch.push(callback),
            }
        }
        self.release(batch);
    }

    /// Removes and returns the callbacks that the fault `reorder_callbacks` held back. The caller sends them with
    /// [`Self::release`] after the next callbacks.
    pub fn take_held(&self) -> Vec<Callback> {
        std::mem::take(&mut lock(&self.held))
    }

    /// Sends callbacks in order, without applying faults.
    pub fn release(self: &Arc<Self>, batch: Vec<Callback>) {
        if batch.is_empty() {
            return;
        }
        let this = Arc::clone(self);
        self.spawn(async move {
            for callback in batch {
                this.first_try(callback).await;
            }
        });
    }

    async fn first_try(self: &Arc<Self>, callback: Callback) {
        let (first, further) = callback.waits.split_first().map_or((Duration::ZERO, &[][..]), |(f, r)| (*f, r));
        if self.try_after(first, &callback).await || further.is_empty() {
            return;
        }
        // Repetitions run in the background: they must not delay later callbacks.
        let this = Arc::clone(self);
        self.spawn(async move {
            for wait in further {
                tokio::time::sleep(LEAST_PAUSE).await;
                if this.try_after(*wait, &callback).await {
                    return;
                }
            }
            this.counters.count(callback.gateway, "callback given up");
        });
    }

    /// Runs work in the background until the sandbox stops.
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.tasks.stopping();
        self.tasks.spawn(async move {
            stop.run_until_cancelled(work).await;
        });
    }

    async fn try_after(&self, wait: Duration, callback: &Callback) -> bool {
        let wait = wait / self.scale;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        let Some(http) = self.target.read().unwrap_or_else(PoisonError::into_inner).clone() else {
            self.counters.count(callback.gateway, "callback without a target");
            return true;
        };
        let Ok(_permit) = self.permits.acquire().await else { return true };
        let request = http
            .request(Method::POST, &callback.path)
            .query(&callback.query)
            .header(header::CONTENT_TYPE, callback.content_type)
            .body(callback.body.clone());
        let acknowledged = match http.send(request).await {
            Ok(answer) => answer.status.is_success() && (callback.accepts)(&answer),
            Err(_) => false,
        };
        self.counters
            .count(callback.gateway, if acknowledged { "callback acknowledged" } else { "callback not acknowledged" });
        for (carrier, order_no) in &callback.about {
            self.parcels.called_back(carrier, order_no, acknowledged);
        }
        acknowledged
    }
}
