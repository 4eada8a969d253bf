//! Reads a person's log of changes as it grows.
//!
//! [`Live`] wakes waiting clients by messages from Redis. In addition, one statement polls the logs of all people with
//! waiting clients every few seconds, so that these clients see changes while Redis is unavailable.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::casework::Casework;
use crate::casework::notices::live::{LastRead, Live, ReadChanges, Stream, Waiters};
use crate::domain::kernel::ids::PersonId;
use crate::store::StoreError;
use crate::store::changes::{self, Change};

/// How often the logs are polled on behalf of all waiting clients.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The maximum number of people whose logs one statement polls.
const LOOK_FOR: usize = 1_000;

/// A page of a person's log: at most `limit` changes after position `after`.
#[derive(Debug, Clone, Copy)]
pub struct LogPage {
    pub person: PersonId,
    pub after: i64,
    pub limit: i64,
}

#[derive(Clone, Copy)]
pub struct Changes<'a>(&'a Casework);

impl Casework {
    pub const fn changes(&self) -> Changes<'_> {
        Changes(self)
    }
}

impl Changes<'_> {
    /// Reads a page of a person's log. If the page is empty, waits up to `wait` for the first change.
    pub async fn wait(self, live: &Live, page: LogPage, wait: Duration) -> Result<Vec<Change>, StoreError> {
        let waiters = live.waiters(page.person);
        self.until(&waiters, None, page, tokio::time::sleep(wait), || true).await
    }

    /// Reads the next changes of a stream. If there are none, waits for the first one. Returns an empty list when the
    /// stream ends.
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
            // The client is registered as waiting before the read, so that a change during the read wakes it.
            let woken = waiters.woken.notified();
            if !goes_on() {
                return Ok(Vec::new());
            }
            // The future of a read is large. Boxed, it takes memory only while it runs.
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

    /// Reads a page for a stream. If several streams of a person are woken at the same position, the first stream reads
    /// the page for all of them. If a change comes after this read, the other streams find it when they read again.
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

    /// Polls the logs of all people with waiting clients, until `stop`.
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

    /// Returns the last position in a person's log. A client that has just read the current state follows the log from
    /// there.
    pub async fn latest(self, person: PersonId) -> Result<i64, StoreError> {
        changes::latest(&mut *self.0.store().connection().await?, person).await
    }
}
