//! The pace of a lane (the job queue of one gateway): how many jobs start per second, and how many run at once. The
//! limits differ by gateway, so each gateway's folder defines its settings and their defaults.

use crate::env::Env;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The maximum number of jobs that all workers together start in a second. All of them are allowed to start at the
    /// same moment.
    pub per_second: u32,
    /// The maximum number of jobs that one process runs at once.
    pub slots: usize,
}

/// The names and defaults of a pace's settings.
pub struct PaceNames {
    /// `SONGDA_<GATEWAY>_RATE`
    pub rate: &'static str,
    /// The rate that the gateway's documents allow, per second; a cautious guess if they do not say.
    pub default_rate: &'static str,
    /// `SONGDA_<GATEWAY>_SLOTS`
    pub slots: &'static str,
    /// The default number of slots. It is enough to keep up with the rate if a request takes about a second.
    pub default_slots: &'static str,
}

impl Pace {
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
    fn a_pace_has_defaults_and_is_never_zero() {
        let mut env = Env::of([("SONGDA_OWL_RATE", "50")]);
        assert_eq!(Pace::read(&mut env, &NAMES), Some(Pace { per_second: 50, slots: 16 }));
        assert!(env.faults().is_empty());
        let mut env = Env::of([("SONGDA_OWL_SLOTS", "0")]);
        Pace::read(&mut env, &NAMES);
        assert_eq!(env.faults().len(), 1, "{:?}", env.faults());
    }
}
