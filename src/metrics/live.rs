//! Clients that are told of changes as they happen.

use std::sync::LazyLock;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

static CLIENTS: LazyLock<Gauge> = LazyLock::new(Gauge::default);

pub(super) fn register(registry: &mut Registry) {
    registry.register("songda_live_clients", "Clients that hold a stream of events open", CLIENTS.clone());
}

/// A client that is there until this is dropped.
#[derive(Debug)]
pub struct Client(());

impl Client {
    #[must_use]
    pub fn comes() -> Self {
        CLIENTS.inc();
        Self(())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        CLIENTS.dec();
    }
}
