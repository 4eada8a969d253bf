//! The circuit breaker of a lane, shared by all its tasks.
//!
//! A task that may begin jobs holds a [`Permit`]. When an open breaker has waited long enough, one permit allows a
//! trial call. If that permit is dropped without a result, the next task gets a permit for a trial call. So the lane
//! never waits for a trial call that was not made.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::worker::attempts::Contact;
use crate::worker::pool::breaker::Breaker;

/// The state of the breaker. Clones share it. All times are durations since a fixed moment, which the caller chooses.
#[derive(Clone, Default)]
pub struct SharedBreaker(Arc<Mutex<Breaker>>);

impl SharedBreaker {
    /// A permit to begin up to `wanted` jobs; `None` while the breaker admits no call.
    #[must_use]
    pub fn permit(&self, wanted: usize, now: Duration) -> Option<Permit> {
        let (jobs, after) = self.change(|breaker| {
            let (jobs, after) = breaker.admit(wanted, now);
            ((jobs, after), after)
        });
        let trial = || matches!(after, Breaker::Trying { .. }).then(|| self.clone());
        (jobs > 0).then(|| Permit { jobs, trial: trial() })
    }

    /// Records whether the gateway responded.
    pub fn record(&self, contact: Contact, now: Duration) {
        self.change(|breaker| match contact {
            Contact::None => ((), breaker),
            Contact::Answered => ((), breaker.answered()),
            Contact::Silent => ((), breaker.failed(now)),
        });
    }

    pub fn state(&self) -> Breaker {
        self.change(|breaker| (breaker, breaker))
    }

    fn change<T>(&self, change: impl FnOnce(Breaker) -> (T, Breaker)) -> T {
        let mut breaker = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (result, after) = change(*breaker);
        *breaker = after;
        result
    }
}

/// Permission to begin jobs. The caller keeps it until these jobs have ended.
#[must_use]
pub struct Permit {
    jobs: usize,
    /// The breaker, if the permit is for the trial call.
    trial: Option<SharedBreaker>,
}

impl Permit {
    /// Returns how many jobs may begin.
    pub const fn jobs(&self) -> usize {
        self.jobs
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(breaker) = self.trial.take() {
            breaker.change(|breaker| ((), breaker.not_tried()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    /// Events on a lane.
    #[derive(Debug, Clone, Copy)]
    enum Event {
        /// The lane asks for a permit, and holds it.
        Asks,
        /// The lane drops the oldest permit, because its job ended or never began.
        Ends(Contact),
        /// Milliseconds pass.
        Passes(u64),
    }

    fn any_event() -> impl Strategy<Value = Event> {
        prop_oneof![
            Just(Event::Asks),
            Just(Event::Ends(Contact::None)),
            Just(Event::Ends(Contact::Answered)),
            Just(Event::Ends(Contact::Silent)),
            Just(Event::Ends(Contact::Silent)),
            (0_u64..3_000).prop_map(Event::Passes),
        ]
    }

    const LONG: Duration = Duration::from_secs(60);

    proptest! {
        #[test]
        fn no_lane_is_ever_stuck(story in proptest::collection::vec(any_event(), 0..300)) {
            let breaker = SharedBreaker::default();
            let mut now = Duration::ZERO;
            let mut under_way = VecDeque::new();
            for event in story {
                match event {
                    Event::Asks => under_way.extend(breaker.permit(3, now)),
                    Event::Ends(contact) => {
                        if let Some(permit) = under_way.pop_front() {
                            breaker.record(contact, now);
                            drop(permit);
                        }
                    }
                    Event::Passes(millis) => now += Duration::from_millis(millis),
                }
                let trials = under_way.iter().filter(|permit: &&Permit| permit.trial.is_some()).count();
                prop_assert!(trials <= 1, "one call at most tries the gateway");
            }
            // In the end every permit is dropped, with a result or without one.
            under_way.clear();
            prop_assert!(breaker.permit(1, now + LONG).is_some(), "{:?}", breaker.state());
        }
    }

    #[test]
    fn a_trial_without_a_result_passes_to_the_next_task() {
        let breaker = SharedBreaker::default();
        let second = Duration::from_secs(1);
        while !matches!(breaker.state(), Breaker::Open { .. }) {
            breaker.record(Contact::Silent, Duration::ZERO);
        }
        assert!(breaker.permit(1, Duration::ZERO).is_none());
        let permit = breaker.permit(5, second).unwrap();
        assert_eq!((permit.jobs(), breaker.permit(5, second).is_none()), (1, true), "one call at a time");
        drop(permit);
        let permit = breaker.permit(5, second).unwrap();
        breaker.record(Contact::Answered, second);
        drop(permit);
        assert_eq!(breaker.permit(5, second).map(|permit| permit.jobs()), Some(5));
    }
}
