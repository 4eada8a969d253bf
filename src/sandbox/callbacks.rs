//! The way back: twins call Songda as their gateways would, and call again when the answer is not the one that the
//! gateway wants to hear.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use reqwest::{Method, Url, header};
use tokio::sync::Semaphore;

use super::counters::Counters;
use super::faults::{CallbackFault, Faults};
use super::parcels::Parcels;
use super::settings::Settings;
use super::shards::lock;
use super::world::Target;
use crate::gateway::shared::http::{Answer, Http, HttpSettings};
use crate::lifecycle::Tasks;

/// What answers satisfy a gateway.
pub type Accepts = Arc<dyn Fn(&Answer) -> bool + Send + Sync>;

/// A call to Songda.
#[derive(Clone)]
pub struct Callback {
    /// The twin that calls.
    pub gateway: &'static str,
    /// About whom: faults may be asked for by it.
    pub recipient: String,
    /// The path at Songda, its secret part included.
    pub path: String,
    pub query: Vec<(&'static str, String)>,
    /// The body's type.
    pub content_type: &'static str,
    pub body: Bytes,
    /// Which answer is the right one.
    pub accepts: Accepts,
    /// How long to wait before the first try, and before each further one.
    pub waits: &'static [Duration],
    /// Which orders it is about: carrier and order number.
    pub about: Vec<(&'static str, String)>,
}

/// How many callbacks are under way at once.
const AT_ONCE: usize = 64;
/// WeChat gives up after this long; the others are as patient.
const TIMEOUT: Duration = Duration::from_secs(5);
/// However fast time runs, whoever did not answer well gets a moment before the next try.
const BREATH: Duration = Duration::from_millis(250);
/// The operation by which faults and counters know callbacks.
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
        settings: &Settings,
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

    /// Says where Songda is. `None`: callbacks are counted and forgotten.
    pub fn aim(&self, base_url: Option<Url>) {
        let connect_timeout = TIMEOUT;
        let http = base_url.and_then(|base_url| {
            Http::new(&HttpSettings { gateway: "songda".into(), base_url, connect_timeout, timeout: TIMEOUT })
                .inspect_err(|error| tracing::error!(%error, "no client for callbacks"))
                .ok()
        });
        *self.target.write().unwrap_or_else(PoisonError::into_inner) = http;
    }

    /// Sends callbacks one after the other, as far as no fault strikes them.
    pub fn post(self: &Arc<Self>, callbacks: Vec<Callback>) {
        let mut batch = Vec::with_capacity(callbacks.len());
        for callback in callbacks {
            let (gateway, recipient) = (callback.gateway, callback.recipient.as_str());
            match self.faults.strike_callback(Target { gateway, operation: OPERATION, recipient }) {
                Some(CallbackFault::Drop) => self.counters.count(gateway, "callback dropped"),
                Some(CallbackFault::Reorder) => lock(&self.held).push(callback),
                Some(CallbackFault::Duplicate) => batch.extend([callback.clone(), callback]),
                None => batch.push(callback),
            }
        }
        self.release(batch);
    }

    /// Takes out what was held back, to be sent after what comes next.
    pub fn take_held(&self) -> Vec<Callback> {
        std::mem::take(&mut lock(&self.held))
    }

    /// Sends callbacks one after the other, whatever faults were ordered.
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
        // What has to be repeated does not hold up what comes after it.
        let this = Arc::clone(self);
        self.spawn(async move {
            for wait in further {
                tokio::time::sleep(BREATH).await;
                if this.try_after(*wait, &callback).await {
                    return;
                }
            }
            this.counters.count(callback.gateway, "callback given up");
        });
    }

    /// Runs in the background, and ends where it stands when the sandbox stops.
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
            self.counters.count(callback.gateway, "callback to nobody");
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
