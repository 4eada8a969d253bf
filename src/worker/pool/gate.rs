//! The gate of a lane: its [`Breaker`], shared by all who work the lane.
//!
//! Whoever is let through holds a [`Leave`]. Where it is the one call that tries a gateway, and it ends without one, the
//! next may try: however it ended, and wherever. So nothing on the way from the gate to the gateway can leave the lane
//! waiting for an answer that nobody will ever hear.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::worker::pool::breaker::Breaker;
use crate::worker::pool::verdict::Contact;

/// The gate. Cloning shares it. Times are counted from whatever moment its user counts from.
#[derive(Clone, Default)]
pub struct Gate(Arc<Mutex<Breaker>>);

impl Gate {
    /// Asks for leave to begin up to `wanted` jobs; `None` while there is none.
    #[must_use]
    pub fn ask(&self, wanted: usize, now: Duration) -> Option<Leave> {
        let (jobs, after) = self.change(|breaker| {
            let (jobs, after) = breaker.admit(wanted, now);
            ((jobs, after), after)
        });
        let tries = || matches!(after, Breaker::Trying { .. }).then(|| self.clone());
        (jobs > 0).then(|| Leave { jobs, tries: tries() })
    }

    /// Notes whether the gateway was heard of.
    pub fn heard(&self, contact: Contact, now: Duration) {
        self.change(|breaker| match contact {
            Contact::None => ((), breaker),
            Contact::Answered => ((), breaker.answered()),
            Contact::Silent => ((), breaker.failed(now)),
        });
    }

    /// How the breaker stands.
    #[must_use]
    pub fn breaker(&self) -> Breaker {
        self.change(|breaker| (breaker, breaker))
    }

    fn change<T>(&self, change: impl FnOnce(Breaker) -> (T, Breaker)) -> T {
        let mut breaker = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (result, after) = change(*breaker);
        *breaker = after;
        result
    }
}

/// Leave to begin jobs. It is held until they ended.
#[must_use]
pub struct Leave {
    jobs: usize,
    /// The gate, where this is the one call that tries the gateway.
    tries: Option<Gate>,
}

impl Leave {
    /// How many jobs.
    #[must_use]
    pub const fn jobs(&self) -> usize {
        self.jobs
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        if let Some(gate) = self.tries.take() {
            gate.change(|breaker| ((), breaker.not_tried()));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What may happen on a lane between two moments.
    #[derive(Debug, Clone, Copy)]
    enum Happens {
        /// The lane asks for leave. It may hear no ring, lose the claim, or begin a job: the leave is held until then.
        Asks,
        /// What was begun first ends, or comes to nothing.
        Ends(Contact),
        /// Time passes, in milliseconds.
        Passes(u64),
    }

    fn anything() -> impl Strategy<Value = Happens> {
        prop_oneof![
            Just(Happens::Asks),
            Just(Happens::Ends(Contact::None)),
            Just(Happens::Ends(Contact::Answered)),
            Just(Happens::Ends(Contact::Silent)),
            Just(Happens::Ends(Contact::Silent)),
            (0_u64..3_000).prop_map(Happens::Passes),
        ]
    }

    const LONG: Duration = Duration::from_secs(60);

    proptest! {
        #[test]
        fn no_lane_is_ever_stuck(story in proptest::collection::vec(anything(), 0..300)) {
            let (gate, mut now, mut under_way) = (Gate::default(), Duration::ZERO, std::collections::VecDeque::new());
            for happens in story {
                match happens {
                    Happens::Asks => under_way.extend(gate.ask(3, now)),
                    Happens::Ends(contact) => {
                        if let Some(leave) = under_way.pop_front() {
                            gate.heard(contact, now);
                            drop(leave);
                        }
                    }
                    Happens::Passes(millis) => now += Duration::from_millis(millis),
                }
                let trying = under_way.iter().filter(|leave: &&Leave| leave.tries.is_some()).count();
                prop_assert!(trying <= 1, "one call tries");
            }
            // Whatever it was, what is under way comes to an end, told or not.
            under_way.clear();
            prop_assert!(gate.ask(1, now + LONG).is_some(), "{:?}", gate.breaker());
        }
    }

    #[test]
    fn a_try_that_came_to_nothing_is_for_the_next() {
        let (gate, second) = (Gate::default(), Duration::from_secs(1));
        while !matches!(gate.breaker(), Breaker::Open { .. }) {
            gate.heard(Contact::Silent, Duration::ZERO);
        }
        assert!(gate.ask(1, Duration::ZERO).is_none());
        let leave = gate.ask(5, second).unwrap();
        assert_eq!((leave.jobs(), gate.ask(5, second).is_none()), (1, true), "one call at a time");
        drop(leave);
        let leave = gate.ask(5, second).unwrap();
        gate.heard(Contact::Answered, second);
        drop(leave);
        assert_eq!(gate.ask(5, second).map(|leave| leave.jobs()), Some(5));
    }
}
