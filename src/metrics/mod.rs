//! The metrics of a process, for Prometheus, one file per subject. `docs/operations/` explains their names and labels.
//!
//! Metrics are global, like the log, so that no function needs them as an argument. On hot paths, the series (a metric
//! with one combination of labels) is looked up in advance. A label has few possible values, and this program defines
//! them all. A label is never text from a caller or a gateway: it is a route and not a path, a gateway and not an
//! address.

pub mod attempts;
pub mod backlog;
pub mod budgets;
pub mod callbacks;
pub mod connections;
pub mod database;
pub mod gateways;
pub mod lanes;
pub mod live;
pub mod offers;
mod process;
pub mod requests;
mod series;
pub mod stores;

use std::sync::LazyLock;

use prometheus_client::encoding::prometheus_text;
use prometheus_client::registry::Registry;

pub use process::file_limit;

/// The media type of [`text`].
pub const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let mut registry = Registry::default();
    for register in [
        attempts::register,
        backlog::register,
        budgets::register,
        callbacks::register,
        connections::register,
        database::register,
        gateways::register,
        lanes::register,
        live::register,
        offers::register,
        process::register,
        requests::register,
        stores::register,
    ] {
        register(&mut registry);
    }
    registry
});

/// All metrics of this process, in Prometheus's text format.
pub fn text() -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = prometheus_text::encode(&mut text, &REGISTRY);
    text
}
