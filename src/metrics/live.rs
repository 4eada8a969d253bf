use std::sync::LazyLock;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

static CLIENTS: LazyLock<Gauge> = LazyLock::new(Gauge::default);

pub(super) fn register(registry: &mut Registry) {
    registry.register("songda_live_clients", "Clients that hold a stream of events open", CLIENTS.clone());
}

/// Counts one client with an open stream of events, until this value is dropped.
#[derive(Debug)]
#[must_use]
pub struct LiveClient(());

impl LiveClient {
    pub fn connect() -> Self {
        CLIENTS.inc();
        Self(())
    }
}

impl Drop for LiveClient {
    fn drop(&mut self) {
        CLIENTS.dec();
    }
}
