//! A shared value that is slow to make and can become useless: a connection, the map of a cluster, a token. The first
//! caller makes it. Callers that come meanwhile wait for the same attempt. After a caller forgets a useless value, the
//! next caller makes another.

use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

type Attempt<T, E> = BoxFuture<'static, Result<T, E>>;

/// The value, or the attempt to make it.
pub struct SingleFlight<T, E>(Mutex<State<T, E>>);

enum State<T, E> {
    Empty,
    /// Only the waiting callers keep the attempt alive. If all of them give up, it is dropped, and the next caller
    /// begins another.
    Running(WeakShared<Attempt<T, E>>),
    Made(T),
}

impl<T: Clone, E: Clone> SingleFlight<T, E> {
    pub const fn new() -> Self {
        Self(Mutex::new(State::Empty))
    }

    /// Returns the value. If there is no value, waits for the running attempt of another caller. If no attempt is
    /// running, starts one with `make`. An error goes to all callers that waited for the attempt; later callers try
    /// again.
    pub async fn get<F>(&self, make: impl FnOnce() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let attempt = match self.value_or_attempt(make) {
            Ok(value) => return Ok(value),
            Err(attempt) => attempt,
        };
        let outcome = attempt.clone().await;
        self.keep(&attempt, &outcome);
        outcome
    }

    /// Forgets the value if it is useless, so that the next caller makes another. Does not stop an attempt.
    pub fn forget_if(&self, is_useless: impl FnOnce(&T) -> bool) {
        let mut state = self.lock();
        if let State::Made(value) = &*state
            && is_useless(value)
        {
            *state = State::Empty;
        }
    }

    fn value_or_attempt<F>(&self, make: impl FnOnce() -> F) -> Result<T, Shared<Attempt<T, E>>>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let mut state = self.lock();
        let running = match &*state {
            State::Made(value) => return Ok(value.clone()),
            State::Running(attempt) => attempt.upgrade(),
            State::Empty => None,
        };
        Err(running.unwrap_or_else(|| {
            let attempt = make().boxed().shared();
            *state = attempt.downgrade().map_or(State::Empty, State::Running);
            attempt
        }))
    }

    /// Stores the outcome of an attempt: the value, or an empty state after an error. Does nothing if the attempt is no
    /// longer the current one: another caller that waited for it has stored the outcome already.
    fn keep(&self, attempt: &Shared<Attempt<T, E>>, outcome: &Result<T, E>) {
        let mut state = self.lock();
        let is_current = match &*state {
            State::Running(current) => current.upgrade().is_some_and(|current| current.ptr_eq(attempt)),
            State::Empty | State::Made(_) => false,
        };
        if is_current {
            *state = outcome.as_ref().map_or(State::Empty, |value| State::Made(value.clone()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T, E>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone, E: Clone> Default for SingleFlight<T, E> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::pending;

    use super::*;

    #[tokio::test]
    async fn callers_share_one_attempt_and_a_useless_value_is_replaced() {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let make = || async {
            tokio::task::yield_now().await;
            Ok::<_, ()>(MADE.fetch_add(1, Ordering::Relaxed))
        };
        let flight = SingleFlight::new();
        assert_eq!(tokio::join!(flight.get(make), flight.get(make)), (Ok(0), Ok(0)));
        flight.forget_if(|value| *value == 0);
        assert_eq!(flight.get(make).await, Ok(1));
        flight.forget_if(|value| *value == 0);
        assert_eq!(flight.get(make).await, Ok(1), "a caller that held the old value does not forget the new one");
    }

    #[tokio::test]
    async fn waiting_callers_share_an_error_and_later_ones_try_again() {
        let flight = SingleFlight::new();
        let fail = || async {
            tokio::task::yield_now().await;
            Err("away")
        };
        assert_eq!(tokio::join!(flight.get(fail), flight.get(fail)), (Err("away"), Err("away")));
        assert_eq!(flight.get(|| async { Ok(1) }).await, Ok(1));
    }

    #[tokio::test]
    async fn an_attempt_ends_when_all_its_callers_give_up() {
        let flight = SingleFlight::<u8, ()>::new();
        let gives_up = async {
            tokio::select! {
                biased;
                _ = flight.get(pending) => false,
                () = tokio::task::yield_now() => true,
            }
        };
        assert!(gives_up.await);
        assert_eq!(flight.get(|| async { Ok(1) }).await, Ok(1), "the next caller begins another attempt");
    }
}
