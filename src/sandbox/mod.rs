//! The sandbox: every gateway's real protocol, spoken by a twin that verifies signatures and encryption with its
//! own code, keeps what a phone or a carrier would have, moves parcels along, calls back, and fails on demand.
//!
//! Development, tests, the demo and integrators use it in place of the outside world; nothing in the product knows
//! that it is there but by its address and its keys. A twin stands in its gateway's folder, and `registry.rs` names it
//! together with the gateway. What is kept is kept in memory.

pub mod acs3;
pub mod call;
pub mod callbacks;
#[cfg(test)]
pub(crate) mod client;
pub mod control;
pub mod counters;
pub mod faults;
pub mod json;
pub mod label;
pub mod page;
pub mod parcels;
pub mod phones;
pub mod seen;
pub mod settings;
pub mod shards;
pub mod world;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use poem::listener::TcpAcceptor;
use poem::{Route, Server};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::domain::kernel::clock::Instant;
use crate::env::Env;
use crate::lifecycle::Tasks;

pub use parcels::Moved;
pub use settings::{Pace, Settings};
pub use world::World;

/// Makes a twin from the settings that it reads; `None` when they are faulty.
pub type Maker = fn(&mut Env) -> Option<Arc<dyn Twin>>;

/// One gateway, played. It writes what reaches a phone to [`World::phones`] and what it carries to
/// [`World::parcels`], and asks [`World::perform`] to do each call, so that faults strike it like any other.
pub trait Twin: Send + Sync + 'static {
    /// Its name: the gateway's, the first segment of its paths, and what faults and counters call it.
    fn name(&self) -> &'static str;

    /// The gateway's protocol, mounted at `/<name>`.
    fn protocol(self: Arc<Self>, world: &Arc<World>) -> Route;

    /// What a test may ask of this gateway beside its protocol, mounted at `/_sandbox/<name>`.
    fn controls(self: Arc<Self>, _world: &Arc<World>) -> Route {
        Route::new()
    }

    /// Some of its parcels were scanned: a carrier calls back.
    fn scanned(&self, _world: &World, _moved: &[Moved]) {}

    /// Forgets everything.
    fn reset(&self) {}
}

/// The sandbox, without its server.
pub struct Sandbox {
    pub(crate) world: Arc<World>,
    pub(crate) twins: Vec<Arc<dyn Twin>>,
}

impl Sandbox {
    /// Moves every parcel on, and lets the carriers call back.
    pub fn advance_all(&self, steps: usize) -> usize {
        self.advance_ordered_before(self.world.now(), steps)
    }

    fn advance_ordered_before(&self, ordered_before: Instant, steps: usize) -> usize {
        let held = self.world.callbacks.take_held();
        let mut count = 0;
        for twin in &self.twins {
            let moved = self.world.parcels.advance_all(twin.name(), ordered_before, steps, self.world.now());
            count += moved.len();
            twin.scanned(&self.world, &moved);
        }
        self.world.callbacks.release(held);
        count
    }

    /// Moves the parcel of an order number on, at whichever carrier holds it.
    pub fn advance(&self, order_no: &str, steps: usize) -> Option<usize> {
        let held = self.world.callbacks.take_held();
        let mut found = None;
        for twin in &self.twins {
            if let Some(moved) = self.world.parcels.advance(twin.name(), order_no, steps, self.world.now()) {
                twin.scanned(&self.world, std::slice::from_ref(&moved));
                found = Some(moved.scans.len());
            }
        }
        self.world.callbacks.release(held);
        found
    }

    /// Forgets everything but the settings and where callbacks go.
    pub fn reset(&self) {
        self.world.reset();
        for twin in &self.twins {
            twin.reset();
        }
    }

    fn routes(self: &Arc<Self>) -> Route {
        let mut routes = Route::new().nest("/_sandbox", control::routes(self)).at("/", page::endpoint(self));
        for twin in &self.twins {
            routes = routes
                .nest(format!("/_sandbox/{}", twin.name()), Arc::clone(twin).controls(&self.world))
                .nest(format!("/{}", twin.name()), Arc::clone(twin).protocol(&self.world));
        }
        routes
    }

    /// Starts a sandbox on a free port of this machine, for tests.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start(settings: Settings) -> io::Result<Running> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let tasks = Tasks::new();
        let stop = tasks.stopping().drop_guard();
        let sandbox = prepare(settings, &tasks);
        let served = Arc::clone(&sandbox);
        let running = tasks.clone();
        tasks.spawn(async move {
            if let Err(error) = answer(&served, listener, &running).await {
                tracing::error!(%error, "the sandbox's server ended");
            }
        });
        Ok(Running { address, sandbox, stop })
    }
}

/// A sandbox that runs until this is dropped.
pub struct Running {
    address: SocketAddr,
    sandbox: Arc<Sandbox>,
    #[expect(dead_code, reason = "stops the server when it is dropped")]
    stop: tokio_util::sync::DropGuard,
}

impl Running {
    /// `http://127.0.0.1:<port>`
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where a twin listens: `<base>/<name>`.
    #[must_use]
    pub fn url(&self, twin: &str) -> String {
        format!("http://{}/{twin}", self.address)
    }

    /// What it holds, to look at without HTTP.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.sandbox.world
    }

    /// The names of all that it plays.
    pub fn gateways(&self) -> impl Iterator<Item = &'static str> {
        self.sandbox.twins.iter().map(|twin| twin.name())
    }

    /// The sandbox itself, to move parcels without HTTP.
    #[must_use]
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }
}

/// How long what is under way may take when the sandbox is stopped.
const GRACE: Duration = Duration::from_millis(500);

/// Serves until it is told to stop; then it lets what is under way finish for a moment.
///
/// # Errors
/// When the server cannot accept connections.
pub async fn serve(settings: Settings, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
    let tasks = Tasks::new();
    let sandbox = prepare(settings, &tasks);
    let served = tokio::select! {
        served = answer(&sandbox, listener, &tasks) => served,
        () = stop.cancelled() => Ok(()),
    };
    tasks.stop(GRACE).await;
    served
}

fn prepare(settings: Settings, tasks: &Tasks) -> Arc<Sandbox> {
    let world = Arc::new(World::new(&settings, tasks));
    Arc::new(Sandbox { world, twins: settings.twins })
}

async fn answer(sandbox: &Arc<Sandbox>, listener: TcpListener, tasks: &Tasks) -> io::Result<()> {
    let stopping = tasks.stopping();
    if let Pace::Every(step) = sandbox.world.pace {
        tasks.spawn(walk(Arc::clone(sandbox), step, stopping.clone()));
    }
    let acceptor = TcpAcceptor::from_tokio(listener)?;
    let stopped = async move { stopping.cancelled().await };
    Server::new_with_acceptor(acceptor).run_with_graceful_shutdown(sandbox.routes(), stopped, Some(GRACE)).await
}

/// Moves all parcels on by one scan at each step. Nobody comes for a parcel in the very second of its order: carriers
/// write whole seconds, and it would seem to be collected before it was ordered.
async fn walk(sandbox: Arc<Sandbox>, step: Duration, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(step);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        sandbox.advance_ordered_before(sandbox.world.now() - TimeDelta::seconds(1), 1);
    }
}

#[cfg(test)]
mod tests;
