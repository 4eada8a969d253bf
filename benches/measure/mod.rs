//! The measurements, one file each. Each starts the processes that it needs, measures the product and what the product
//! is compared with, and stops the processes.

mod burst;
pub mod decide;
pub mod delivery;
pub mod drain;
pub mod footprint;
mod history;
mod latency;
pub mod limits;
mod live;
pub mod reads;
mod scale;
pub mod submit;
mod sustained;

use crate::report::Sample;
use crate::{Bench, Measured};

/// All measurements, in their order.
pub const NAMES: [&str; 13] = [
    "limits",
    "footprint",
    "drain",
    "latency",
    "delivery",
    "decide",
    "reads",
    "submit",
    "scale",
    "sustained",
    "burst",
    "live",
    "history",
];

/// Long measurements. They are made in the first round only.
pub const ONCE: [&str; 4] = ["sustained", "burst", "live", "history"];

/// Makes one measurement.
pub async fn one(name: &str, bench: &Bench) -> Measured<Vec<Sample>> {
    match name {
        "limits" => limits::measure(bench).await,
        "footprint" => footprint::measure(bench).await,
        "drain" => drain::measure(bench).await,
        "latency" => latency::measure(bench).await,
        "delivery" => delivery::measure(bench).await,
        "decide" => decide::measure(bench).await,
        "reads" => reads::measure(bench).await,
        "submit" => submit::measure(bench).await,
        "scale" => scale::measure(bench).await,
        "sustained" => sustained::measure(bench).await,
        "burst" => burst::measure(bench).await,
        "live" => live::measure(bench).await,
        "history" => history::measure(bench).await,
        _ => Err(format!("there is no measurement {name}").into()),
    }
}
