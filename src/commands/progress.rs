//! The progress of a long command: a bar on a terminal, or a line per tenth of the work in a log.

use std::cell::Cell;

use indicatif::{ProgressBar, ProgressStyle};

pub struct Progress {
    bar: ProgressBar,
    what: &'static str,
    total: i64,
    said: Cell<i64>,
}

impl Progress {
    /// Starts at 0 of `total`. `what` is the word that follows the numbers, such as "replayed".
    pub fn start(what: &'static str, total: i64) -> Self {
        const BAR: &str = "{wide_bar} {pos} of {len} {msg}, {eta} left";
        // The bar is hidden if standard error is not a terminal.
        let bar = ProgressBar::new(u64::try_from(total).unwrap_or(0)).with_message(what);
        let style = ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
        Self { bar: bar.with_style(style), what, total, said: Cell::new(0) }
    }

    pub fn reach(&self, done: i64) {
        self.bar.set_position(u64::try_from(done).unwrap_or(0));
        let worth_a_line = done >= self.said.get() + self.total / 10;
        if self.bar.is_hidden() && worth_a_line && done < self.total {
            self.said.set(done);
            eprintln!("{done} of {} {}", self.total, self.what);
        }
    }

    /// Removes the bar. The command itself prints the result.
    pub fn end(self) {
        self.bar.finish_and_clear();
    }
}
