//! The measured figures beside their limits and targets: a table for people, and JSON with the same content for
//! programs.
//!
//! Absolute figures drift, because other virtual machines on the same host take a varying share of it. So a ratio
//! divides two figures of the same round, and the medians over all rounds are reported.

use serde_json::{Value, json};

use crate::statistics::{median, range, ratios};

/// A line of the table.
pub struct Line {
    pub what: &'static str,
    pub unit: &'static str,
    /// The name of the figure of the same round with which this one is compared. Empty if it is compared with nothing.
    pub beside: &'static str,
    pub target: Target,
}

/// The target of a figure.
#[derive(Clone, Copy)]
pub enum Target {
    /// No target: the figure is only reported, or other figures are compared with it.
    None,
    AtLeast(f64),
    AtMost(f64),
    /// At least this many times the figure beside it.
    RatioAtLeast(f64),
    /// At most this many times the figure beside it.
    RatioAtMost(f64),
}

/// A figure of one round.
pub struct Sample {
    line: &'static Line,
    value: f64,
    other: Option<f64>,
}

impl Line {
    /// Makes a figure that is compared with nothing.
    pub const fn is(&'static self, value: f64) -> Sample {
        Sample { line: self, value, other: None }
    }

    /// Makes a figure that is compared with another one, if the other one could be measured.
    pub const fn beside(&'static self, value: f64, other: Option<f64>) -> Sample {
        Sample { line: self, value, other }
    }
}

/// All rounds of all measurements.
#[derive(Default)]
pub struct Report(Vec<Row>);

/// The values of one line in all rounds.
struct Row {
    line: &'static Line,
    values: Vec<f64>,
    others: Vec<f64>,
}

impl Report {
    /// Adds the figures of a round.
    pub fn add(&mut self, samples: Vec<Sample>) {
        for Sample { line, value, other } in samples {
            let known = self.0.iter().position(|row| std::ptr::eq(row.line, line));
            let place = known.unwrap_or_else(|| {
                self.0.push(Row { line, values: vec![], others: vec![] });
                self.0.len() - 1
            });
            self.0[place].values.push(value);
            self.0[place].others.extend(other);
        }
    }

    /// Returns the table, as Markdown.
    pub fn table(&self) -> String {
        let head = "| what | measured | beside it | ratio | target | verdict |\n|---|---|---|---|---|---|\n";
        self.0.iter().fold(head.to_owned(), |table, row| table + &row.markdown())
    }

    /// Returns the table as JSON, for programs.
    pub fn json(&self) -> Value {
        self.0.iter().map(Row::json).collect()
    }
}

impl Row {
    /// Returns the median of the ratios, each taken inside its round. `None` if the figure is compared with nothing.
    fn ratio(&self) -> Option<f64> {
        let ratios = ratios(&self.values, &self.others);
        (!ratios.is_empty()).then(|| median(&ratios))
    }

    fn markdown(&self) -> String {
        let Line { what, unit, beside, .. } = self.line;
        let other = (!self.others.is_empty()).then(|| format!("{} {beside}", figure(median(&self.others))));
        let ratio = self.ratio().map(|ratio| format!("{ratio:.2}"));
        let (target, verdict) = self.judged();
        let other = other.unwrap_or_default();
        let ratio = ratio.unwrap_or_default();
        format!(
            "| {what} | {} {unit}{} | {other} | {ratio} | {target} | {verdict} |\n",
            figure(median(&self.values)),
            self.range()
        )
    }

    fn range(&self) -> String {
        match range(&self.values) {
            Some((least, greatest)) if self.values.len() > 1 => {
                format!(" ({} to {})", figure(least), figure(greatest))
            }
            _ => String::new(),
        }
    }

    fn json(&self) -> Value {
        let (target, verdict) = self.judged();
        json!({
            "what": self.line.what, "unit": self.line.unit, "median": median(&self.values), "values": self.values,
            "beside": self.line.beside, "beside_values": self.others, "ratio": self.ratio(),
            "target": target, "verdict": verdict,
        })
    }

    /// Returns the target and the verdict, both in words. The verdict says that the target is met, or by how much it is
    /// missed.
    fn judged(&self) -> (String, String) {
        let unit = self.line.unit;
        let beside = self.line.beside;
        let (is_floor, asked, got, of) = match self.line.target {
            Target::None => return (String::new(), String::new()),
            Target::AtLeast(asked) => (true, asked, Some(median(&self.values)), unit),
            Target::AtMost(asked) => (false, asked, Some(median(&self.values)), unit),
            Target::RatioAtLeast(asked) => (true, asked, self.ratio(), beside),
            Target::RatioAtMost(asked) => (false, asked, self.ratio(), beside),
        };
        let verdict = match got {
            None => "not compared".to_owned(),
            Some(got) if (is_floor && got >= asked) || (!is_floor && got <= asked) => "met".to_owned(),
            Some(got) if got > asked * 2.0 => format!("missed: {} times that", figure(got / asked)),
            Some(got) => format!("missed by {:.0} %", (got / asked - 1.0).abs() * 100.0),
        };
        let times = if of == beside { " ×" } else { "" };
        (format!("at {} {asked}{times} {of}", if is_floor { "least" } else { "most" }), verdict)
    }
}

/// Writes a figure with about three significant digits.
pub fn figure(value: f64) -> String {
    let digits = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    format!("{value:.digits$}")
}
