//! What was measured, beside its limit and its target: a table for people, and the same as JSON.
//!
//! Absolute figures drift with the machine's neighbours, so a ratio is taken inside one round, and the medians of all
//! rounds are reported.

use serde_json::{Value, json};

/// A line of the table: what is measured, beside what, and what is asked of it.
pub struct Line {
    /// What is measured.
    pub what: &'static str,
    /// In what.
    pub unit: &'static str,
    /// What was measured in the same round to compare it with; empty where it stands alone.
    pub beside: &'static str,
    /// What is asked of it.
    pub target: Target,
}

/// What is asked of a figure.
#[derive(Clone, Copy)]
pub enum Target {
    /// Nothing: it is there to compare with.
    None,
    /// At least this much.
    AtLeast(f64),
    /// At most this much.
    AtMost(f64),
    /// At least this many times what stands beside it.
    RatioAtLeast(f64),
    /// At most this many times what stands beside it.
    RatioAtMost(f64),
}

/// A figure of one round.
pub struct Sample {
    line: &'static Line,
    value: f64,
    other: Option<f64>,
}

impl Line {
    /// A figure that stands alone.
    pub const fn is(&'static self, value: f64) -> Sample {
        Sample { line: self, value, other: None }
    }

    /// A figure and what it is compared with, if that could be measured.
    pub const fn beside(&'static self, value: f64, other: Option<f64>) -> Sample {
        Sample { line: self, value, other }
    }
}

/// All rounds of all measurements.
#[derive(Default)]
pub struct Report(Vec<Row>);

/// All rounds of one line.
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

    /// The table, as Markdown.
    pub fn table(&self) -> String {
        let head = "| what | measured | beside it | ratio | target | verdict |\n|---|---|---|---|---|---|\n";
        self.0.iter().fold(head.to_owned(), |table, row| table + &row.markdown())
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        self.0.iter().map(Row::json).collect()
    }
}

impl Row {
    /// The median of the ratios, each taken inside its round; `None` if there is nothing to compare with.
    fn ratio(&self) -> Option<f64> {
        let ratios: Vec<f64> = self.values.iter().zip(&self.others).map(|(value, other)| value / other).collect();
        (!ratios.is_empty()).then(|| median(&ratios))
    }

    fn markdown(&self) -> String {
        let Line { what, unit, beside, .. } = self.line;
        let other = (!self.others.is_empty()).then(|| format!("{} {beside}", figure(median(&self.others))));
        let ratio = self.ratio().map(|ratio| format!("{ratio:.2}"));
        let (target, verdict) = self.judged();
        let (other, ratio) = (other.unwrap_or_default(), ratio.unwrap_or_default());
        format!(
            "| {what} | {} {unit}{} | {other} | {ratio} | {target} | {verdict} |\n",
            figure(median(&self.values)),
            self.range()
        )
    }

    fn range(&self) -> String {
        let (least, greatest) =
            (self.values.iter().copied().reduce(f64::min), self.values.iter().copied().reduce(f64::max));
        match (least, greatest) {
            (Some(least), Some(greatest)) if self.values.len() > 1 => {
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

    /// The target in words, and whether it is met, or by how much it is missed.
    fn judged(&self) -> (String, String) {
        let (unit, beside) = (self.line.unit, self.line.beside);
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

/// As many digits as mean something.
fn figure(value: f64) -> String {
    let digits = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    format!("{value:.digits$}")
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}
