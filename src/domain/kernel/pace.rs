//! The pace at which a lane may work: how many calls a second, and how many at once. What is known of it is each
//! gateway's own, so each states it, with its default, in its own folder.

use crate::env::Env;

/// The pace of one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How many jobs all workers together begin in a second at the most. Bursts of as many may come at once.
    pub per_second: u32,
    /// How many jobs one process has under way at the most.
    pub slots: usize,
}

/// The names of a pace's settings, and what they are if not set.
pub struct PaceNames {
    /// `SONGDA_<GATEWAY>_RATE`
    pub rate: &'static str,
    /// What the gateway's documents allow in a second; a cautious guess where they say nothing.
    pub default_rate: &'static str,
    /// `SONGDA_<GATEWAY>_SLOTS`
    pub slots: &'static str,
    /// Enough to keep up with the rate while a call takes about a second.
    pub default_slots: &'static str,
}

impl Pace {
    /// Reads the settings.
    pub fn read(env: &mut Env, names: &PaceNames) -> Option<Self> {
        let per_second: Option<u32> =
            env.or(names.rate, names.default_rate, "how many jobs a second all workers together begin on this lane");
        let slots: Option<usize> =
            env.or(names.slots, names.default_slots, "how many jobs one worker has under way at once on this lane");
        if per_second == Some(0) || slots == Some(0) {
            env.fault(format!("{} and {} must be at least 1: nothing would ever be done", names.rate, names.slots));
        }
        Some(Self { per_second: per_second?, slots: slots? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: PaceNames =
        PaceNames { rate: "SONGDA_OWL_RATE", default_rate: "30", slots: "SONGDA_OWL_SLOTS", default_slots: "16" };

    #[test]
    fn a_pace_has_defaults_and_is_never_a_standstill() {
        let mut env = Env::of([("SONGDA_OWL_RATE", "50")]);
        assert_eq!(Pace::read(&mut env, &NAMES), Some(Pace { per_second: 50, slots: 16 }));
        assert!(env.faults().is_empty());
        let mut env = Env::of([("SONGDA_OWL_SLOTS", "0")]);
        Pace::read(&mut env, &NAMES);
        assert_eq!(env.faults().len(), 1, "{:?}", env.faults());
    }
}
