//! What a process counts about itself, for Prometheus: one file for each thing that is counted. All names, units and
//! labels stand here, and in `docs/operations.md`.
//!
//! Counts belong to the process, as its log does, so they are reached like the log: from everywhere, and passed through
//! no signature. To count costs a few atomic steps and allocates nothing: what is counted for every request is looked up
//! before the first one. A label has few values, all of them ours: a route and never a path, a gateway and never an
//! address. Nothing that a caller or a gateway wrote becomes a label.

pub mod attempts;
pub mod backlog;
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

/// The media type of [`text`].
pub const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let mut registry = Registry::default();
    for register in [
        attempts::register,
        backlog::register,
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

/// All counts of this process, in Prometheus's text format.
#[must_use]
pub fn text() -> String {
    let mut text = String::new();
    // Nothing fails that writes into memory; if it did, what was written so far would be all there is.
    let _ = prometheus_text::encode(&mut text, &REGISTRY);
    text
}
