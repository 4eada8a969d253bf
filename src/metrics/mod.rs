//! The metrics of a process, for Prometheus, one file per subject. `docs/operations/` explains their names and labels.
//!
//! Metrics belong to the process, as its log does. So any code can reach them, and no signature passes them on.
//! Counting costs a few atomic steps and allocates nothing: series that every request needs are looked up before the
//! first one. A label has few values, and all are our own: a route, never a path; a gateway, never an address. No text
//! of a caller or a gateway becomes a label.

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

/// All metrics of this process, in Prometheus's text format.
pub fn text() -> String {
    let mut text = String::new();
    // Writing into memory does not fail. If it did, the text so far would still be valid.
    let _ = prometheus_text::encode(&mut text, &REGISTRY);
    text
}
