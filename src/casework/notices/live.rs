//! Wakes clients that wait for changes over Server-Sent Events or long-polls.
//!
//! A process has one subscription to Redis for all its clients. A message from Redis names only the people whose log of
//! changes grew. Their clients then read the log ([`super::log`]). A waiting client needs hardly any memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::domain::kernel::ids::PersonId;
use crate::queue::Queue;
use crate::store::changes::Change;

/// The people with clients that wait in this process. Clones share the state.
#[derive(Clone, Default)]
pub struct Live(Arc<Mutex<HashMap<PersonId, Weak<Waiters>>>>);

/// The state that all clients of one person in this process share.
#[derive(Default)]
pub(super) struct Waiters {
    pub(super) woken: Notify,
    /// The last position in the person's log at the last poll; 0 before the first poll.
    seen: AtomicI64,
    streams: Mutex<Streams>,
    pub(super) last_read: LastRead,
}

/// The last page that a stream read, stored for the other streams of the same person.
pub(super) type LastRead = tokio::sync::Mutex<Option<ReadChanges>>;

/// The changes after a position in a person's log; never empty. They stay valid, because a log only grows at its end.
pub(super) struct ReadChanges {
    pub(super) after: i64,
    pub(super) changes: Vec<Change>,
}

/// The open streams of one person in this process.
#[derive(Default)]
struct Streams {
    /// How many streams were opened so far. This is also the number of the newest stream.
    opened: u32,
    /// The numbers of the open streams, the oldest first.
    open: Vec<u32>,
}

impl Waiters {
    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A person's open stream of changes. Dropping this value ends the stream.
pub struct Stream {
    pub(super) waiters: Arc<Waiters>,
    pub(super) person: PersonId,
    number: u32,
    pub(super) until: tokio::time::Instant,
}

impl Stream {
    /// True until the stream's time is over, or newer streams of the person replace it.
    pub(super) fn is_open(&self) -> bool {
        tokio::time::Instant::now() < self.until && self.waiters.streams().open.contains(&self.number)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.waiters.streams().open.retain(|number| *number != self.number);
    }
}

/// The maximum number of streams of a person in one process. A further stream ends the oldest one, whose connection is
/// probably broken.
pub const MOST_STREAMS: usize = 8;

/// The pause after a subscription to Redis has failed or ended, before the process subscribes again.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);
/// When [`Live`] contains this many people, and each time their number has doubled, it drops the people without waiting
/// clients.
const SWEEP_FROM: usize = 1_024;

impl Live {
    pub(super) fn waiters(&self, person: PersonId) -> Arc<Waiters> {
        let mut waiting = self.lock();
        if waiting.len() >= SWEEP_FROM && waiting.len().is_power_of_two() {
            waiting.retain(|_, waiters| waiters.strong_count() > 0);
        }
        if let Some(waiters) = waiting.get(&person).and_then(Weak::upgrade) {
            return waiters;
        }
        let waiters = Arc::new(Waiters::default());
        waiting.insert(person, Arc::downgrade(&waiters));
        waiters
    }

    /// Opens a stream, which ends at the latest after the duration `lasts`.
    #[must_use]
    pub fn open(&self, person: PersonId, lasts: Duration) -> Stream {
        let waiters = self.waiters(person);
        let mut streams = waiters.streams();
        streams.opened = streams.opened.wrapping_add(1);
        let number = streams.opened;
        streams.open.push(number);
        if streams.open.len() > MOST_STREAMS {
            streams.open.remove(0);
            waiters.woken.notify_waiters();
        }
        drop(streams);
        Stream { waiters, person, number, until: tokio::time::Instant::now() + lasts }
    }

    fn wake(&self, people: &[PersonId]) {
        let waiting = self.lock();
        for waiters in people.iter().filter_map(|person| waiting.get(person)?.upgrade()) {
            waiters.woken.notify_waiters();
        }
    }

    pub(super) fn waiting(&self) -> Vec<PersonId> {
        self.lock().iter().filter(|(_, waiters)| waiters.strong_count() > 0).map(|(person, _)| *person).collect()
    }

    /// Wakes the clients of people whose log has grown since the last poll. `ends` has the last position in each
    /// person's log.
    pub(super) fn saw(&self, ends: &[(PersonId, i64)]) {
        let waiting = self.lock();
        for (person, end) in ends {
            if let Some(waiters) = waiting.get(person).and_then(Weak::upgrade)
                && waiters.seen.swap(*end, Ordering::Relaxed) != *end
            {
                waiters.woken.notify_waiters();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PersonId, Weak<Waiters>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens to Redis until the process stops, and wakes the clients of the people whose log grew.
    pub async fn run(self, queue: Queue, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match queue.listen().await {
                Ok(news) => {
                    tokio::pin!(news);
                    while let Some(Some(people)) = stop.run_until_cancelled(news.next()).await {
                        self.wake(&people);
                    }
                }
                Err(error) => tracing::debug!(%error, "live clients see changes late while Redis is unavailable"),
            }
            stop.run_until_cancelled(tokio::time::sleep(LISTEN_AGAIN)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const A_WHILE: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn news_wake_the_clients_of_the_people_whom_they_concern() {
        let live = Live::default();
        let concerned = PersonId::from_uuid(Uuid::from_u128(1));
        let other = PersonId::from_uuid(Uuid::from_u128(2));
        let waiters = live.waiters(concerned);
        let silent = live.waiters(other);
        let woken = waiters.woken.notified();
        let not_woken = silent.woken.notified();
        tokio::pin!(woken, not_woken);
        woken.as_mut().enable();
        not_woken.as_mut().enable();
        live.wake(&[concerned]);
        woken.await;
        assert!(futures_util::poll!(not_woken).is_pending());
    }

    #[tokio::test]
    async fn one_stream_too_many_ends_the_oldest() {
        let live = Live::default();
        let person = PersonId::from_uuid(Uuid::from_u128(1));
        let mut streams: Vec<Stream> = (0..MOST_STREAMS).map(|_| live.open(person, A_WHILE)).collect();
        assert!(streams.iter().all(Stream::is_open));
        drop(streams.pop());
        streams.push(live.open(person, A_WHILE));
        assert!(streams.iter().all(Stream::is_open), "a dropped stream makes room");
        let newest = live.open(person, A_WHILE);
        let others = live.open(PersonId::from_uuid(Uuid::from_u128(2)), A_WHILE);
        assert!(newest.is_open() && others.is_open() && streams[1..].iter().all(Stream::is_open));
        assert!(!streams[0].is_open());
    }

    #[test]
    fn people_without_waiting_clients_are_dropped() {
        let live = Live::default();
        let people = (0..5_000_u128).map(|n| PersonId::from_uuid(Uuid::from_u128(n)));
        for person in people {
            drop(live.waiters(person));
        }
        assert!(live.0.lock().unwrap().len() <= SWEEP_FROM + 1);
    }
}
