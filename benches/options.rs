//! The command line of `script/bench`.

use crate::{Measured, against, measure};

/// The options on the command line.
pub struct Options {
    /// True for a short run, whose figures only show the order of magnitude.
    pub is_quick: bool,
    pub rounds: usize,
    /// The number of cases in the database of the measurement `history`; `None` for the usual number.
    pub cases: Option<usize>,
    /// True if another commit is measured beside this tree. `script/bench` has built that commit.
    pub is_comparison: bool,
    pub names: Vec<String>,
}

impl Options {
    pub fn read(arguments: impl Iterator<Item = String>) -> Measured<Self> {
        let mut options = Self { is_quick: false, rounds: 0, cases: None, is_comparison: false, names: Vec::new() };
        for argument in arguments {
            match argument.split_once('=') {
                Some(("--rounds", count)) => options.rounds = count.parse()?,
                Some(("--cases", count)) => options.cases = Some(count.parse()?),
                Some(("--against", _)) => options.is_comparison = true,
                None if argument == "--quick" => options.is_quick = true,
                // Cargo passes this to every benchmark.
                None if argument == "--bench" => {}
                None if !argument.starts_with('-') => options.names.push(argument),
                _ => return Err(format!("unknown option {argument}").into()),
            }
        }
        options.complete()
    }

    fn complete(mut self) -> Measured<Self> {
        let known: &[&str] = if self.is_comparison { &against::NAMES } else { &measure::NAMES };
        if let Some(unknown) = self.names.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(format!("unknown measurement {unknown}: choose from {}", known.join(" ")).into());
        }
        if self.names.is_empty() {
            self.names = known.iter().map(|name| (*name).to_owned()).collect();
        }
        if self.rounds == 0 {
            self.rounds = if self.is_quick && !self.is_comparison { 1 } else { 5 };
        }
        if self.is_comparison && self.rounds < against::LEAST_ROUNDS {
            return Err(format!("a comparison needs at least {} rounds", against::LEAST_ROUNDS).into());
        }
        Ok(self)
    }

    /// Returns the length of the run, in words.
    pub const fn length(&self) -> &'static str {
        if self.is_quick { "a quick run" } else { "a full run" }
    }
}
