//! Reports the progress of the demonstration on standard output, in Chinese and English, with the time since its start.

use serde_json::Value;

use crate::domain::kernel::clock::{Instant, Stopwatch, beijing};

/// The report. It contains the time at which the demonstration started.
#[derive(Clone, Copy)]
pub struct Story(Stopwatch);

impl Story {
    pub fn begin() -> Self {
        Self(Stopwatch::start())
    }

    pub fn seconds(&self) -> u64 {
        self.0.elapsed().as_secs()
    }

    pub fn part(&self, zh: &str, en: &str) {
        println!("\n== {zh} · {en}");
    }

    pub fn step(&self, zh: &str, en: &str) {
        println!("{:>7.1}s  {zh} · {en}", self.0.elapsed().as_secs_f64());
    }

    /// Prints the timeline of a case. `rows` are its entries, as the residents' API returns them.
    pub fn timeline(&self, number: &str, rows: &[Value]) {
        println!("          办件 {number} 的时间线 · the case's own timeline:");
        for row in rows {
            let text = |pointer| row.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let at = text("/at").parse().map(|at: Instant| at.with_timezone(&beijing()).format("%H:%M:%S").to_string());
            println!("          | {}  {} · {}", at.unwrap_or_default(), text("/text/zh"), text("/text/en"));
        }
    }
}
