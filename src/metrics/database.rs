//! Connections to PostgreSQL: their number, and the wait for one.

use std::sync::LazyLock;
use std::time::Duration;

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::series::{Word, seconds};

static CONNECTIONS: LazyLock<Family<Word, Gauge>> = LazyLock::new(Family::default);
static LIMIT: LazyLock<Gauge> = LazyLock::new(Gauge::default);
static WAITS: LazyLock<Histogram> = LazyLock::new(seconds);

pub(super) fn register(registry: &mut Registry) {
    registry.register("songda_database_connections", "Connections to PostgreSQL", CONNECTIONS.clone());
    let help = "The most connections that this process opens";
    registry.register("songda_database_connections_limit", help, LIMIT.clone());
    let help = "The wait for a connection; for a transaction, its BEGIN is included";
    registry.register_with_unit("songda_database_connection_wait", help, Unit::Seconds, WAITS.clone());
}

/// Records how long a caller waited for a connection, even if the caller got none.
pub fn observe_wait(wait: Duration) {
    WAITS.observe(wait.as_secs_f64());
}

pub fn set_connections(busy: usize, idle: usize, limit: u32) {
    for (state, connections) in [("busy", busy), ("idle", idle)] {
        CONNECTIONS.get_or_create(&[("state", state)]).set(i64::try_from(connections).unwrap_or(i64::MAX));
    }
    LIMIT.set(i64::from(limit));
}
