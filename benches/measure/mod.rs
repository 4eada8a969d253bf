//! The measurements, one file each. Each starts what it needs, measures the product and its limit, and stops it all.

mod drain;

use crate::report::Sample;
use crate::{Bench, Measured};

/// In the order in which they are made.
pub const NAMES: [&str; 1] = ["drain"];

/// Those that are long in themselves, and so are made in the first round only.
pub const ONCE: [&str; 0] = [];

/// Makes one of them.
pub async fn one(name: &str, bench: &Bench) -> Measured<Vec<Sample>> {
    match name {
        "drain" => drain::measure(bench).await,
        _ => Err(format!("there is no measurement {name}").into()),
    }
}
