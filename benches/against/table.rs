//! A comparison as a table for people, with notes, and as JSON.

use serde_json::{Value, json};

use super::comparison::{Row, Share};
use crate::report::figure;
use crate::statistics::{median, spread};
use crate::verdict::{Basis, LIMIT, Verdict};

/// Returns the table, as Markdown.
pub fn markdown(rows: &[Row]) -> String {
    let head = "| line | base | new | new ÷ base | spread \
                | processor time of 1,000: base | new | new ÷ base | spread | verdict |\n\
                |---|---|---|---|---|---|---|---|---|---|\n";
    rows.iter().fold(head.to_owned(), |table, row| table + &of_row(row))
}

/// Returns the names of the lines in which the new program is slower.
pub fn slower(rows: &[Row]) -> Vec<&'static str> {
    named(rows, false, &[Verdict::Slower])
}

/// Returns notes on the lines that need attention besides the slower ones: unclear lines, and controls that differ.
pub fn notes(rows: &[Row]) -> String {
    let mut notes = String::new();
    let unclear = named(rows, false, &[Verdict::Unclear]);
    if !unclear.is_empty() {
        notes += &format!("Unclear, more rounds may decide: {}.\n", unclear.join("; "));
    }
    let controls = named(rows, true, &[Verdict::Slower, Verdict::Faster]);
    if !controls.is_empty() {
        let limit = LIMIT * 100.0;
        notes += &format!(
            "Do not trust this run: the machine itself differed by more than {limit} % between the turns of the two \
             programs: {}.\n",
            controls.join("; ")
        );
    }
    notes
}

/// Returns the rows as JSON, for programs.
pub fn json(rows: &[Row]) -> Value {
    rows.iter().map(json_of_row).collect()
}

fn named(rows: &[Row], is_control: bool, verdicts: &[Verdict]) -> Vec<&'static str> {
    let rows = rows.iter().filter(|row| row.line.is_control == is_control && verdicts.contains(&row.verdict().0));
    rows.map(|row| row.line.what).collect()
}

fn of_row(row: &Row) -> String {
    let what = row.line.what;
    let unit = row.line.unit;
    let base = figure(median(&row.base()));
    let new = figure(median(&row.new_values()));
    let processor = row.processor().map_or_else(
        || " |  |  | ".to_owned(),
        |time| format!("{} | {} | {}", in_words(time.base), in_words(time.new), ratio_and_spread(&time.ratios)),
    );
    let ratio = ratio_and_spread(&row.ratios());
    format!("| {what} | {base} {unit} | {new} {unit} | {ratio} | {processor} | {} |\n", verdict_in_words(row))
}

fn ratio_and_spread(ratios: &[f64]) -> String {
    let ratio = median(ratios);
    let spread = spread(ratios);
    if spread.is_finite() { format!("{ratio:.3} | {:.1} %", spread * 100.0) } else { format!("{ratio:.3} | unknown") }
}

/// Writes the processor time of the product, and that of PostgreSQL and Redis together.
fn in_words(share: Share) -> String {
    format!("{} + {} ms", figure(share.product), figure(share.stores))
}

fn verdict_in_words(row: &Row) -> String {
    let (verdict, basis) = row.verdict();
    match (basis, row.line.bound) {
        (Basis::Bound, Some(bound)) => format!("{verdict} (above {bound} {})", row.line.unit),
        (Basis::ProcessorTime, _) => format!("{verdict} (by processor time)"),
        _ if row.line.is_control => format!("{verdict} (the machine)"),
        _ => verdict.to_string(),
    }
}

fn json_of_row(row: &Row) -> Value {
    let (verdict, basis) = row.verdict();
    let ratios = row.ratios();
    let share = |share: Share| json!({"product_ms": share.product, "stores_ms": share.stores});
    let processor = row.processor().map(|time| {
        json!({
            "base": share(time.base), "new": share(time.new),
            "ratios": time.ratios, "ratio": median(&time.ratios), "spread": spread(&time.ratios),
        })
    });
    json!({
        "line": row.line.what, "unit": row.line.unit, "bound": row.line.bound, "is_control": row.line.is_control,
        "base": row.base(), "new": row.new_values(),
        "ratios": ratios, "ratio": median(&ratios), "spread": spread(&ratios),
        "processor_time_of_1000": processor,
        "verdict": verdict.to_string(), "decided_by": basis.to_string(),
    })
}
