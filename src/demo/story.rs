//! Tells a play on standard output, in Chinese and English, with the time since its beginning.

use serde_json::Value;

use crate::domain::kernel::clock::{Instant, Stopwatch, beijing};

#[derive(Clone, Copy)]
pub struct Story {
    watch: Stopwatch,
}

impl Story {
    #[must_use]
    pub fn begin() -> Self {
        Self { watch: Stopwatch::start() }
    }

    /// Whole seconds since the beginning.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        self.watch.elapsed().as_secs()
    }

    /// A new part.
    pub fn part(&self, zh: &str, en: &str) {
        println!("\n== {zh} · {en}");
    }

    pub fn step(&self, zh: &str, en: &str) {
        println!("{:>7.1}s  {zh} · {en}", self.watch.elapsed().as_secs_f64());
    }

    /// A case's timeline, as the API tells it to the resident.
    pub fn timeline(&self, number: &str, rows: &[Value]) {
        println!("          办件 {number} 的时间线 · the case's own timeline:");
        for row in rows {
            let text = |pointer| row.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let at = text("/at").parse().map(|at: Instant| at.with_timezone(&beijing()).format("%H:%M:%S").to_string());
            println!("          | {}  {} · {}", at.unwrap_or_default(), text("/text/zh"), text("/text/en"));
        }
    }
}
