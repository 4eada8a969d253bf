//! The command line of `script/bench`.

use crate::{Measured, against, measure};

/// What the operator asked for.
pub struct Options {
    /// True if the figures only have to be of the right order of magnitude, but soon.
    pub is_quick: bool,
    pub rounds: usize,
    /// The number of cases for `history`, if not the usual one.
    pub cases: Option<usize>,
    /// The commit to compare with, if this is a comparison.
    pub against: Option<String>,
    pub names: Vec<String>,
}

impl Options {
    /// Reads the arguments.
    pub fn read(arguments: impl Iterator<Item = String>) -> Measured<Self> {
        let mut options = Self { is_quick: false, rounds: 0, cases: None, against: None, names: Vec::new() };
        for argument in arguments {
            match argument.split_once('=') {
                Some(("--rounds", count)) => options.rounds = count.parse()?,
                Some(("--cases", count)) => options.cases = Some(count.parse()?),
                Some(("--against", commit)) => options.against = Some(commit.to_owned()),
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
        let known: &[&str] = if self.against.is_some() { &against::NAMES } else { &measure::NAMES };
        if let Some(unknown) = self.names.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(format!("unknown measurement {unknown}: choose from {}", known.join(" ")).into());
        }
        if self.names.is_empty() {
            self.names = known.iter().map(|name| (*name).to_owned()).collect();
        }
        if self.rounds == 0 {
            self.rounds = if self.is_quick && self.against.is_none() { 1 } else { 5 };
        }
        if self.against.is_some() && self.rounds < against::LEAST_ROUNDS {
            return Err(format!("a comparison needs at least {} rounds", against::LEAST_ROUNDS).into());
        }
        Ok(self)
    }

    /// The length of the run, in words.
    pub const fn length(&self) -> &'static str {
        if self.is_quick { "a quick run" } else { "a full run" }
    }
}
