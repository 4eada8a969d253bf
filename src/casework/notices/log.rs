//! The log of what changed for a person, read as it grows.
//!
//! Clients are woken by [`Live`]. Every few seconds one statement polls the logs of all people with waiting clients, so
//! nothing is missed while Redis is away.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::casework::Casework;
use crate::casework::notices::live::{LastRead, Live, ReadChanges, Stream, Waiters};
use crate::domain::kernel::ids::PersonId;
use crate::store::StoreError;
use crate::store::changes::{self, Change};

/// How often the logs are polled on behalf of all waiting clients.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// For how many people one statement polls.
const LOOK_FOR: usize = 1_000;

/// A page of a person's log: at most `limit` changes after a place.
#[derive(Debug, Clone, Copy)]
pub struct LogPage {
    pub person: PersonId,
    pub after: i64,
    pub limit: i64,
}

/// What changed for people.
#[derive(Clone, Copy)]
pub struct Changes<'a>(&'a Casework);

impl Casework {
    pub const fn changes(&self) -> Changes<'_> {
        Changes(self)
    }
}

impl Changes<'_> {
    /// A page of a person's log; waits up to `wait` for the first change.
    pub async fn wait(self, live: &Live, page: LogPage, wait: Duration) -> Result<Vec<Change>, StoreError> {
        let waiters = live.waiters(page.person);
        self.until(&waiters, None, page, tokio::time::sleep(wait), || true).await
    }

    /// The changes of a stream after a place in the person's log; waits for the first one. Empty when the stream ends.
    pub async fn next(self, stream: &Stream, after: i64, limit: i64) -> Result<Vec<Change>, StoreError> {
        let page = LogPage { person: stream.person, after, limit };
        let ends = tokio::time::sleep_until(stream.until);
        self.until(&stream.waiters, Some(&stream.waiters.last_read), page, ends, || stream.is_open()).await
    }

    async fn until(
        &self,
        waiters: &Waiters,
        shared: Option<&LastRead>,
        page: LogPage,
        given_up: impl Future<Output = ()> + Send,
        goes_on: impl Fn() -> bool + Send,
    ) -> Result<Vec<Change>, StoreError> {
        tokio::pin!(given_up);
        loop {
            // Registered before the read, so that a change between the two wakes the client.
            let woken = waiters.woken.notified();
            if !goes_on() {
                return Ok(Vec::new());
            }
            // Boxed: reading takes much more memory than waiting, and only for a moment.
            let found = match shared {
                Some(last) => Box::pin(self.read_shared(last, page)).await?,
                None => Box::pin(self.read(page)).await?,
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

    async fn read(&self, LogPage { person, after, limit }: LogPage) -> Result<Vec<Change>, StoreError> {
        changes::after(&mut *self.0.store().connection().await?, person, after, limit).await
    }

    /// The same for a stream: of several streams of one person that are at the same place and are woken together, one reads
    /// for all. Its page may lack the newest changes; the other streams read those in their next round.
    async fn read_shared(&self, last: &LastRead, page: LogPage) -> Result<Vec<Change>, StoreError> {
        let mut last = last.lock().await;
        if let Some(read) = last.as_ref().filter(|read| read.after == page.after) {
            let limit = usize::try_from(page.limit).unwrap_or_default();
            return Ok(read.changes.iter().take(limit).cloned().collect());
        }
        let changes = self.read(page).await?;
        if !changes.is_empty() {
            *last = Some(ReadChanges { after: page.after, changes: changes.clone() });
        }
        Ok(changes)
    }

    /// Polls the logs on behalf of all waiting clients, until `stop`.
    pub async fn look_for_all(self, live: &Live, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            for people in live.waiting().chunks(LOOK_FOR) {
                match self.ends_of_logs(people).await {
                    Ok(ends) => live.saw(&ends),
                    Err(error) => tracing::debug!(%error, "the logs of live clients cannot be polled"),
                }
            }
        }
    }

    async fn ends_of_logs(&self, people: &[PersonId]) -> Result<Vec<(PersonId, i64)>, StoreError> {
        changes::latest_of(&mut *self.0.store().connection().await?, people).await
    }

    /// The end of a person's log, from which a client that has just read everything goes on.
    pub async fn latest(self, person: PersonId) -> Result<i64, StoreError> {
        changes::latest(&mut *self.0.store().connection().await?, person).await
    }
}
