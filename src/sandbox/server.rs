//! The sandbox's HTTP server.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use poem::listener::TcpAcceptor;
use poem::{Route, Server};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::client_settings::client_settings;
use super::settings::SandboxSettings;
use super::state::Sandbox;
use super::world::World;
use super::world_settings::Movement;
use super::{control, page};
use crate::lifecycle::Tasks;

/// How long the sandbox waits for the end of running requests after it is asked to stop.
const GRACE: Duration = Duration::from_millis(500);

/// Runs a sandbox on `listener` until `stop` is cancelled.
pub async fn serve(settings: SandboxSettings, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
    let tasks = Tasks::new();
    let sandbox = prepare(settings, &tasks);
    let served = tokio::select! {
        served = answer(&sandbox, listener, &tasks) => served,
        () = stop.cancelled() => Ok(()),
    };
    tasks.stop(GRACE).await;
    served
}

impl Sandbox {
    /// Starts a sandbox on a free port of this machine, for tests.
    pub async fn start(settings: SandboxSettings) -> io::Result<Running> {
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

    pub(super) fn routes(self: &Arc<Self>) -> Route {
        let mut routes = Route::new().nest("/_sandbox", control::routes(self)).at("/", page::endpoint(self));
        for twin in &self.twins {
            routes = routes
                .nest(format!("/_sandbox/{}", twin.name()), Arc::clone(twin).controls(&self.world))
                .nest(format!("/{}", twin.name()), Arc::clone(twin).protocol(&self.world));
        }
        routes
    }
}

/// A running sandbox, which stops when this is dropped.
pub struct Running {
    address: SocketAddr,
    pub(super) sandbox: Arc<Sandbox>,
    #[expect(dead_code, reason = "stops the server when it is dropped")]
    stop: DropGuard,
}

impl Running {
    /// The sandbox's address: `http://127.0.0.1:<port>`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A twin's address: `<base>/<name>`.
    pub fn url(&self, twin: &str) -> String {
        format!("http://{}/{twin}", self.address)
    }

    /// The settings of a Songda that uses this sandbox.
    pub fn client_settings(&self) -> Vec<(String, String)> {
        client_settings(&self.base_url(), &self.sandbox.world.settings, &self.sandbox.twins)
    }

    /// The sandbox's data, which a test can read without HTTP.
    pub fn world(&self) -> &World {
        &self.sandbox.world
    }

    pub fn gateways(&self) -> impl Iterator<Item = &'static str> {
        self.sandbox.twins.iter().map(|twin| twin.name())
    }

    /// The sandbox, with which a test can move parcels without HTTP.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }
}

fn prepare(settings: SandboxSettings, tasks: &Tasks) -> Arc<Sandbox> {
    let world = Arc::new(World::new(settings.world, tasks));
    Arc::new(Sandbox { world, twins: settings.twins })
}

async fn answer(sandbox: &Arc<Sandbox>, listener: TcpListener, tasks: &Tasks) -> io::Result<()> {
    let stopping = tasks.stopping();
    if let Movement::Every(step) = sandbox.world.movement {
        tasks.spawn(walk(Arc::clone(sandbox), step, stopping.clone()));
    }
    let acceptor = TcpAcceptor::from_tokio(listener)?;
    let stopped = async move { stopping.cancelled().await };
    Server::new_with_acceptor(acceptor).run_with_graceful_shutdown(sandbox.routes(), stopped, Some(GRACE)).await
}

/// Adds the next scan to every parcel, once every `step`. Skips parcels that were ordered within the last second:
/// carriers report times in whole seconds, so the scan of such a parcel could seem to be earlier than its order.
async fn walk(sandbox: Arc<Sandbox>, step: Duration, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(step);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        sandbox.advance_ordered_before(sandbox.world.now() - TimeDelta::seconds(1), 1);
    }
}
