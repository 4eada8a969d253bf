//! The interface of a measurement that can be compared: it is started for both programs, and they take turns.

use std::time::Duration;

use crate::load::per_second;
use crate::meter::{Cost, Meter};
use crate::process::Process;
use crate::verdict::Better;
use crate::{Bench, Measured};

/// A line of the comparison's table: one measured value of both programs.
pub struct Line {
    pub what: &'static str,
    pub unit: &'static str,
    pub better: Better,
    /// The new program's value must not be above this; `None` if it has no such bound.
    pub bound: Option<f64>,
    /// True if the line measures the machine alone. Both programs must be equal in it, and a difference is noise.
    pub is_control: bool,
}

impl Line {
    /// Makes a line for operations a second.
    pub const fn rate(what: &'static str, unit: &'static str) -> Self {
        Self { what, unit, better: Better::Higher, bound: None, is_control: false }
    }

    /// Makes a line for a time or an amount of memory that must not exceed a bound.
    pub const fn bounded(what: &'static str, unit: &'static str, bound: f64) -> Self {
        Self { what, unit, better: Better::Lower, bound: Some(bound), is_control: false }
    }

    /// Makes a line for a rate of the machine alone.
    pub const fn control(what: &'static str) -> Self {
        Self { what, unit: "/s", better: Better::Higher, bound: None, is_control: true }
    }
}

/// The result of one turn of one program for one line.
pub struct Turn {
    pub value: f64,
    /// The processor time; `None` if it is not measured, as in the case of memory.
    pub cost: Option<Cost>,
}

/// A measurement that starts once and can then be repeated, so that both programs can take turns.
pub trait Stage: Sized {
    /// The lines that a turn measures, in the order of its results.
    const LINES: &'static [Line];
    /// The number of turns of each program in a round.
    const TURNS: usize;
    /// The number of additional turns of each program at the beginning of a round. They open connections and fill
    /// caches, and their results are not used.
    const WARM_UPS: usize;

    /// Starts the processes that the turns need.
    async fn start(bench: &Bench) -> Measured<Self>;

    /// Measures each line once.
    async fn turn(&self, bench: &Bench) -> Measured<Vec<Turn>>;

    /// Stops the processes, and leaves no job pending.
    async fn stop(self, bench: &Bench) -> Measured<()>;
}

/// Measures a turn in which these processes do this many operations. `work` makes the requests that cause the
/// operations, and returns the time from the first operation to the last.
pub async fn metered(
    bench: &Bench,
    processes: &[&Process],
    operations: usize,
    work: impl Future<Output = Measured<Duration>>,
) -> Measured<Turn> {
    let before = Meter::read(&bench.database, processes)?;
    let took = work.await?;
    let cost = Meter::read(&bench.database, processes)?.cost_since(&before, operations);
    Ok(Turn { value: per_second(operations, took), cost: Some(cost) })
}
