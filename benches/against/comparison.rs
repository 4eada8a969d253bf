//! All rounds of a comparison, for each line of its table, and the verdict on each line.

use std::time::Duration;

use super::stage::{Line, Turn};
use crate::meter::Cost;
use crate::statistics::{median, ratios};
use crate::verdict::{Basis, Verdict, judge};

/// A turn of the base program and a turn of the new program, made one right after the other. In a turn the program is
/// measured once.
pub struct Pair {
    pub base: Turn,
    pub new: Turn,
}

/// One line of the comparison's table, with its values in all rounds.
pub struct Row {
    pub line: &'static Line,
    rounds: Vec<Round>,
}

struct Round {
    base: f64,
    new: f64,
    /// The new program's value divided by the base's: the median over the pairs of turns in this round.
    ratio: f64,
    processor: Option<Processor>,
}

/// Processor time of 1,000 operations in one round.
struct Processor {
    base: Share,
    new: Share,
}

/// Milliseconds of processor time for 1,000 operations.
#[derive(Clone, Copy)]
pub struct Share {
    pub product: f64,
    pub stores: f64,
}

/// Processor time of 1,000 operations: the medians over all rounds, and the ratios of each round.
pub struct ProcessorTime {
    pub base: Share,
    pub new: Share,
    pub ratios: Vec<f64>,
}

impl Row {
    pub const fn new(line: &'static Line) -> Self {
        Self { line, rounds: Vec::new() }
    }

    /// Adds the turns of a round.
    pub fn add(&mut self, pairs: &[Pair]) {
        self.rounds.push(Round::of(pairs));
    }

    /// Returns the base's value in each round.
    pub fn base(&self) -> Vec<f64> {
        self.rounds.iter().map(|round| round.base).collect()
    }

    /// Returns the new program's value in each round.
    pub fn new_values(&self) -> Vec<f64> {
        self.rounds.iter().map(|round| round.new).collect()
    }

    /// Returns the ratio of each round: the new program's value divided by the base's.
    pub fn ratios(&self) -> Vec<f64> {
        self.rounds.iter().map(|round| round.ratio).collect()
    }

    /// Returns the processor time of the line; `None` if it is not measured.
    pub fn processor(&self) -> Option<ProcessorTime> {
        let rounds: Vec<&Processor> =
            self.rounds.iter().map(|round| round.processor.as_ref()).collect::<Option<_>>()?;
        let base: Vec<Share> = rounds.iter().map(|round| round.base).collect();
        let new: Vec<Share> = rounds.iter().map(|round| round.new).collect();
        let ratios = rounds.iter().map(|round| round.new.total() / round.base.total()).collect();
        Some(ProcessorTime { base: Share::median(&base), new: Share::median(&new), ratios })
    }

    /// Returns the verdict and its basis. The verdict is "slower" if the new program's value is above the line's bound,
    /// whatever the base's value is.
    pub fn verdict(&self) -> (Verdict, Basis) {
        if self.line.bound.is_some_and(|bound| median(&self.new_values()) > bound) {
            return (Verdict::Slower, Basis::Bound);
        }
        let processor = self.processor().map(|time| time.ratios);
        judge(&self.ratios(), self.line.better, processor.as_deref())
    }
}

impl Round {
    fn of(pairs: &[Pair]) -> Self {
        let base: Vec<f64> = pairs.iter().map(|pair| pair.base.value).collect();
        let new: Vec<f64> = pairs.iter().map(|pair| pair.new.value).collect();
        let shares = Share::of(pairs.iter().map(|pair| &pair.base)).zip(Share::of(pairs.iter().map(|pair| &pair.new)));
        let processor = shares.map(|(base, new)| Processor { base, new });
        Self { base: median(&base), new: median(&new), ratio: median(&ratios(&new, &base)), processor }
    }
}

impl Share {
    /// Returns the cost of all turns divided by the number of their operations; `None` if the cost of a turn is not
    /// measured.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn of<'a>(turns: impl Iterator<Item = &'a Turn>) -> Option<Self> {
        let costs: Vec<Cost> = turns.map(|turn| turn.cost).collect::<Option<_>>()?;
        let operations: usize = costs.iter().map(|cost| cost.operations).sum();
        let of_1000 = |time: Duration| time.as_secs_f64() * 1e6 / operations as f64;
        let product = of_1000(costs.iter().map(|cost| cost.product).sum());
        Some(Self { product, stores: of_1000(costs.iter().map(|cost| cost.stores).sum()) })
    }

    fn total(self) -> f64 {
        self.product + self.stores
    }

    fn median(shares: &[Self]) -> Self {
        let product: Vec<f64> = shares.iter().map(|share| share.product).collect();
        let stores: Vec<f64> = shares.iter().map(|share| share.stores).collect();
        Self { product: median(&product), stores: median(&stores) }
    }
}
