//! The measurements, one file each. Each starts what it needs, measures the product and its limit, and stops it all.

mod burst;
mod decide;
mod delivery;
mod drain;
mod footprint;
mod history;
mod latency;
mod limits;
mod live;
mod reads;
mod scale;
mod submit;
mod sustained;

use crate::report::Sample;
use crate::{Bench, Measured};

/// In the order in which they are made.
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

/// Those that are long in themselves, and so are made in the first round only.
pub const ONCE: [&str; 4] = ["sustained", "burst", "live", "history"];

/// Makes one of them.
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
