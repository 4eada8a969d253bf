//! Decides if a program is faster or slower than another one, by the ratio of their figures in each round. Pure
//! functions, because tests/it includes this file.

use std::fmt;

use super::statistics::{median, spread};

/// The verdict is "same" if the median ratio differs from 1 by at most this much. Ratios always give a verdict if their
/// spread is at most this wide.
pub const LIMIT: f64 = 0.03;

/// A difference that is at least this many times as large as the spread counts even if the spread is wider than
/// [`LIMIT`]. Two equal programs differ that much by chance about once in a thousand comparisons of five rounds,
/// however noisy the machine is.
const CLEAR: f64 = 2.0;

/// Which values are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// A rate.
    Higher,
    /// Time or memory.
    Lower,
}

/// How the new program compares with the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The difference is within the limit.
    Same,
    /// Better by more than the limit.
    Faster,
    /// Worse by more than the limit.
    Slower,
    /// The noise hides a difference of this size.
    Unclear,
}

/// The measurement on which a verdict is based.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The measured values.
    Values,
    /// The processor time, because the measured values spread too widely for a verdict.
    ProcessorTime,
    /// A bound that the new program must keep, whatever the base's value is.
    Bound,
}

/// Judges one line of a comparison. Each ratio is the new program's figure of one round divided by the base's. `values`
/// are the ratios of the measured values. If they spread too widely for a verdict, `processor` decides: the ratios of
/// the processor time of 1,000 operations. If these were not measured or spread too widely as well, the verdict is
/// unclear.
pub fn judge(values: &[f64], better: Better, processor: Option<&[f64]>) -> (Verdict, Basis) {
    if let Some(verdict) = decide(values, better) {
        return (verdict, Basis::Values);
    }
    let by_processor = processor.and_then(|ratios| decide(ratios, Better::Lower));
    match by_processor {
        Some(verdict) => (verdict, Basis::ProcessorTime),
        None => (Verdict::Unclear, Basis::Values),
    }
}

/// Returns the verdict by the median of the ratios; `None` if they spread so widely that noise could explain the
/// difference.
fn decide(ratios: &[f64], better: Better) -> Option<Verdict> {
    let median = median(ratios);
    let allowed = LIMIT.max((median - 1.0).abs() / CLEAR);
    (spread(ratios) <= allowed).then(|| of(median, better))
}

fn of(ratio: f64, better: Better) -> Verdict {
    let gain = match better {
        Better::Higher => ratio - 1.0,
        Better::Lower => 1.0 - ratio,
    };
    if gain > LIMIT {
        Verdict::Faster
    } else if gain < -LIMIT {
        Verdict::Slower
    } else {
        Verdict::Same
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Same => "same",
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::Unclear => "unclear",
        })
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Values => "values",
            Self::ProcessorTime => "processor time",
            Self::Bound => "bound",
        })
    }
}
