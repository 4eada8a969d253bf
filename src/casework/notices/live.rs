//! What changed for a person, told as it happens: the one log behind Server-Sent Events and long-polls.
//!
//! A process listens to Redis once, for all its clients. What it hears is only "look again". And every few seconds it looks
//! for all who wait, with one statement, so nothing is missed while Redis is away. A client that waits does nothing and
//! holds hardly anything.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::casework::Casework;
use crate::domain::kernel::ids::PersonId;
use crate::queue::Queue;
use crate::store::StoreError;
use crate::store::changes::{self, Change};

/// Wakes clients that wait for news. Cloning shares it.
#[derive(Clone, Default)]
pub struct Live(Arc<Mutex<HashMap<PersonId, Weak<Bell>>>>);

/// What a person's clients wait for.
#[derive(Default)]
struct Bell {
    rung: Notify,
    /// The end of the person's log when it was last looked for all; 0 before.
    seen: AtomicI64,
    streams: Mutex<Streams>,
    read: ReadTogether,
}

/// What a stream read last, for the others of its person.
type ReadTogether = tokio::sync::Mutex<Option<Read>>;

/// What a person's log held after a place; never nothing. A log grows at its end alone, so that this still begins it there.
struct Read {
    after: i64,
    changes: Vec<Change>,
}

/// The streams that a person holds in this process, by number, the oldest first.
#[derive(Default)]
struct Streams {
    opened: u32,
    open: Vec<u32>,
}

impl Bell {
    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A person's stream of changes. Dropping it ends it.
pub struct Stream {
    bell: Arc<Bell>,
    person: PersonId,
    number: u32,
    until: tokio::time::Instant,
}

impl Stream {
    fn goes_on(&self) -> bool {
        tokio::time::Instant::now() < self.until && self.bell.streams().open.contains(&self.number)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.bell.streams().open.retain(|number| *number != self.number);
    }
}

/// How many streams a person may hold in one process: more than they have phones and pages open. The next one ends the
/// oldest, because what is left of a broken connection is among the old ones, and what the person looks at is the newest.
pub const MOST_STREAMS: usize = 8;

/// How often it is looked for all who wait.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// For how many people one statement looks.
const LOOK_FOR: usize = 1_000;
/// The pause before Redis is listened to again.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);
/// How many people may be remembered before those who left are swept out.
const SWEEP_FROM: usize = 1_024;

impl Live {
    /// What wakes a person's clients.
    fn bell(&self, person: PersonId) -> Arc<Bell> {
        let mut waiting = self.lock();
        if waiting.len() >= SWEEP_FROM && waiting.len().is_power_of_two() {
            waiting.retain(|_, bell| bell.strong_count() > 0);
        }
        if let Some(bell) = waiting.get(&person).and_then(Weak::upgrade) {
            return bell;
        }
        let bell = Arc::new(Bell::default());
        waiting.insert(person, Arc::downgrade(&bell));
        bell
    }

    /// Opens a stream for a person, which ends after `lasts` at the latest.
    #[must_use]
    pub fn open(&self, person: PersonId, lasts: Duration) -> Stream {
        let bell = self.bell(person);
        let mut streams = bell.streams();
        streams.opened = streams.opened.wrapping_add(1);
        let number = streams.opened;
        streams.open.push(number);
        if streams.open.len() > MOST_STREAMS {
            streams.open.remove(0);
            bell.rung.notify_waiters();
        }
        drop(streams);
        Stream { bell, person, number, until: tokio::time::Instant::now() + lasts }
    }

    fn wake(&self, people: &[PersonId]) {
        let waiting = self.lock();
        for bell in people.iter().filter_map(|person| waiting.get(person)?.upgrade()) {
            bell.rung.notify_waiters();
        }
    }

    /// Those whose clients wait.
    fn waiting(&self) -> Vec<PersonId> {
        self.lock().iter().filter(|(_, bell)| bell.strong_count() > 0).map(|(person, _)| *person).collect()
    }

    /// Wakes those whose log has grown since it was last looked for them.
    fn saw(&self, ends: &[(PersonId, i64)]) {
        let waiting = self.lock();
        for (person, end) in ends {
            if let Some(bell) = waiting.get(person).and_then(Weak::upgrade)
                && bell.seen.swap(*end, Ordering::Relaxed) != *end
            {
                bell.rung.notify_waiters();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PersonId, Weak<Bell>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens to Redis until the process stops, and wakes those whom news concern.
    pub async fn run(self, queue: Queue, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match queue.listen().await {
                Ok(news) => {
                    tokio::pin!(news);
                    while let Some(Some(people)) = stop.run_until_cancelled(news.next()).await {
                        self.wake(&people);
                    }
                }
                Err(error) => tracing::debug!(%error, "live clients are told late while Redis is away"),
            }
            stop.run_until_cancelled(tokio::time::sleep(LISTEN_AGAIN)).await;
        }
    }
}

impl Casework {
    /// A person's changes after a place in their log; waits up to `wait` for the first.
    pub async fn changes(
        &self,
        live: &Live,
        person: PersonId,
        after: i64,
        limit: i64,
        wait: Duration,
    ) -> Result<Vec<Change>, StoreError> {
        self.changes_until((&live.bell(person), None), person, (after, limit), tokio::time::sleep(wait), || true).await
    }

    /// The changes of a stream after a place in the person's log; waits for the first. None: the stream ends.
    pub async fn next_changes(&self, stream: &Stream, after: i64, limit: i64) -> Result<Vec<Change>, StoreError> {
        let ends = tokio::time::sleep_until(stream.until);
        let bell = (&*stream.bell, Some(&stream.bell.read));
        self.changes_until(bell, stream.person, (after, limit), ends, || stream.goes_on()).await
    }

    async fn changes_until(
        &self,
        (bell, together): (&Bell, Option<&ReadTogether>),
        person: PersonId,
        (after, limit): (i64, i64),
        given_up: impl Future<Output = ()> + Send,
        goes_on: impl Fn() -> bool + Send,
    ) -> Result<Vec<Change>, StoreError> {
        tokio::pin!(given_up);
        loop {
            // Registered before the look, so that news between the two are heard.
            let woken = bell.rung.notified();
            if !goes_on() {
                return Ok(Vec::new());
            }
            // Boxed: to look takes much more room than to wait, and only for a moment.
            let found = match together {
                Some(read) => Box::pin(self.changes_after_together(read, person, after, limit)).await?,
                None => Box::pin(self.changes_after(person, after, limit)).await?,
            };
            if !found.is_empty() {
                return Ok(found);
            }
            tokio::select! {
                () = woken => {}
                () = &mut given_up => return Ok(found),
            }
        }
    }

    async fn changes_after(&self, person: PersonId, after: i64, limit: i64) -> Result<Vec<Change>, StoreError> {
        changes::after(&mut *self.store().connection().await?, person, after, limit).await
    }

    /// The same for a stream: of several that are at the same place, and are woken together, one reads for all. It may lack
    /// what was added since, which the stream then reads from there on.
    async fn changes_after_together(
        &self,
        read: &ReadTogether,
        person: PersonId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Change>, StoreError> {
        let mut read = read.lock().await;
        if let Some(read) = read.as_ref().filter(|read| read.after == after) {
            let limit = usize::try_from(limit).unwrap_or_default();
            return Ok(read.changes.iter().take(limit).cloned().collect());
        }
        let changes = self.changes_after(person, after, limit).await?;
        if !changes.is_empty() {
            *read = Some(Read { after, changes: changes.clone() });
        }
        Ok(changes)
    }

    /// Looks for all who wait, until `stop`.
    pub async fn look_for_all(&self, live: &Live, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            for people in live.waiting().chunks(LOOK_FOR) {
                match self.ends_of_logs(people).await {
                    Ok(ends) => live.saw(&ends),
                    Err(error) => tracing::debug!(%error, "live clients are not looked for while the record is away"),
                }
            }
        }
    }

    async fn ends_of_logs(&self, people: &[PersonId]) -> Result<Vec<(PersonId, i64)>, StoreError> {
        changes::latest_of(&mut *self.store().connection().await?, people).await
    }

    /// The end of a person's log: where a client that has just read everything goes on.
    pub async fn latest_change(&self, person: PersonId) -> Result<i64, StoreError> {
        changes::latest(&mut *self.store().connection().await?, person).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[tokio::test]
    async fn news_wake_those_whom_they_concern() {
        let live = Live::default();
        let (one, other) = (PersonId::from_uuid(Uuid::from_u128(1)), PersonId::from_uuid(Uuid::from_u128(2)));
        let (bell, silent) = (live.bell(one), live.bell(other));
        let (woken, not_woken) = (bell.rung.notified(), silent.rung.notified());
        tokio::pin!(woken, not_woken);
        woken.as_mut().enable();
        not_woken.as_mut().enable();
        live.wake(&[one]);
        woken.await;
        assert!(futures_util::poll!(not_woken).is_pending());
    }

    #[tokio::test]
    async fn one_stream_too_many_ends_the_oldest() {
        let (live, person) = (Live::default(), PersonId::from_uuid(Uuid::from_u128(1)));
        let mut streams: Vec<Stream> = (0..MOST_STREAMS).map(|_| live.open(person, LOOK_EVERY)).collect();
        assert!(streams.iter().all(Stream::goes_on));
        drop(streams.pop());
        streams.push(live.open(person, LOOK_EVERY));
        assert!(streams.iter().all(Stream::goes_on), "one that was left makes room");
        let newest = live.open(person, LOOK_EVERY);
        let others = live.open(PersonId::from_uuid(Uuid::from_u128(2)), LOOK_EVERY);
        assert!(newest.goes_on() && others.goes_on() && streams[1..].iter().all(Stream::goes_on));
        assert!(!streams[0].goes_on());
    }

    #[test]
    fn whoever_left_is_forgotten() {
        let live = Live::default();
        let people = (0..5_000_u128).map(|n| PersonId::from_uuid(Uuid::from_u128(n)));
        for person in people {
            drop(live.bell(person));
        }
        assert!(live.0.lock().unwrap().len() <= SWEEP_FROM + 1);
    }
}
