//! Connections of HTTP clients to the listeners of this process.

use std::sync::LazyLock;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::series::Word;

/// The limit for which a connection is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReachedLimit {
    /// Connections from one address.
    Address,
    /// Connections in all.
    InAll,
}

impl ReachedLimit {
    const ALL: [Self; 2] = [Self::Address, Self::InAll];

    /// The name in metrics and logs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::InAll => "in_all",
        }
    }
}

static OPEN: LazyLock<Gauge> = LazyLock::new(Gauge::default);
static REFUSED: LazyLock<Family<Word, Counter>> = LazyLock::new(Family::default);

pub(super) fn register(registry: &mut Registry) {
    registry.register("songda_http_connections", "Open connections of HTTP clients", OPEN.clone());
    let help = "Connections that were closed at once, because a limit was reached";
    registry.register("songda_http_connections_refused", help, REFUSED.clone());
    // With the value zero, so that the first refusal shows as an increase.
    for limit in ReachedLimit::ALL {
        drop(REFUSED.get_or_create(&[("limit", limit.label())]));
    }
}

pub fn count_refused(limit: ReachedLimit) {
    REFUSED.get_or_create(&[("limit", limit.label())]).inc();
}

/// Counts one open connection, until this value is dropped.
#[derive(Debug)]
#[must_use]
pub struct OpenConnection(());

impl OpenConnection {
    pub fn open() -> Self {
        OPEN.inc();
        Self(())
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        OPEN.dec();
    }
}
