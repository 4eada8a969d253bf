//! One round of one measurement: both programs are started, and take turns.

use std::fmt;

use super::comparison::Pair;
use super::stage::{Line, Stage, Turn};
use crate::{Bench, Failure, Measured};

/// One of the two programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Base,
    New,
}

/// Both programs, installed.
pub struct Sides {
    pub base: Bench,
    pub new: Bench,
}

/// For each line of the table, the pairs of turns of one round.
pub type Turns = Vec<(&'static Line, Vec<Pair>)>;

/// Starts a measurement for both programs and lets them take turns. The program that begins changes with each pair of
/// turns, and with each round.
pub async fn alternate<S: Stage>(sides: &Sides, round: usize) -> Measured<Turns> {
    let base = Side::Base.named(S::start(&sides.base).await)?;
    let new = Side::New.named(S::start(&sides.new).await)?;
    let both = Both { sides, base, new };
    for _ in 0..S::WARM_UPS {
        both.pair(true).await?;
    }
    let mut lines: Turns = S::LINES.iter().map(|line| (line, Vec::new())).collect();
    for number in 0..S::TURNS {
        let pairs = both.pair((round + number).is_multiple_of(2)).await?;
        for ((_, all), pair) in lines.iter_mut().zip(pairs) {
            all.push(pair);
        }
    }
    Side::Base.named(both.base.stop(&sides.base).await)?;
    Side::New.named(both.new.stop(&sides.new).await)?;
    Ok(lines)
}

/// A measurement that is started for both programs.
struct Both<'a, S> {
    sides: &'a Sides,
    base: S,
    new: S,
}

impl<S: Stage> Both<'_, S> {
    /// Lets each program take one turn. Returns both programs' values for each line of the table.
    async fn pair(&self, base_begins: bool) -> Measured<Vec<Pair>> {
        let base;
        let new;
        if base_begins {
            base = self.turn(Side::Base).await?;
            new = self.turn(Side::New).await?;
        } else {
            new = self.turn(Side::New).await?;
            base = self.turn(Side::Base).await?;
        }
        Ok(base.into_iter().zip(new).map(|(base, new)| Pair { base, new }).collect())
    }

    async fn turn(&self, side: Side) -> Measured<Vec<Turn>> {
        side.named(match side {
            Side::Base => self.base.turn(&self.sides.base).await,
            Side::New => self.new.turn(&self.sides.new).await,
        })
    }
}

impl Side {
    /// Adds the name of this program to a failure.
    pub fn named<T>(self, measured: Measured<T>) -> Measured<T> {
        measured.map_err(|failure| Failure::from(format!("{self}: {failure}")))
    }
}

impl fmt::Display for Side {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Base => "base",
            Self::New => "new",
        })
    }
}
