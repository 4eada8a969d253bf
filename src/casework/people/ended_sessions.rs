//! The sessions that ended a short while ago. An access token is checked without the database, and outlives its session
//! by up to [`LIFETIME`]. So each process that serves the API reads every second which sessions have ended, and refuses
//! their tokens.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::auth::tokens::LIFETIME;
use crate::domain::kernel::clock::{Clock, Instant};
use crate::domain::kernel::ids::SessionId;
use crate::store::{Store, StoreError, sessions};

/// How often the ended sessions are read.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The time-out of a read. A connection that no longer answers would otherwise stop all further reads for many minutes.
const READ_WITHIN: Duration = Duration::from_secs(5);
/// Each read begins this long before the last session that is known to have ended. A transaction may commit later than
/// another one that ended its session after it, and the clock of another machine may be slow.
const OVERLAP: Duration = Duration::from_secs(5 * 60);
/// How long an ended session is remembered: until its last access token has expired, by every clock.
const MEMORY: Duration = LIFETIME.saturating_add(OVERLAP);

/// The ended sessions, with the time of their end. Clones share them.
#[derive(Clone, Default)]
pub struct EndedSessions(Arc<RwLock<HashMap<SessionId, Instant>>>);

impl EndedSessions {
    pub fn contains(&self, session: SessionId) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(&session)
    }

    /// Reads the sessions that ended since the last read, and forgets those whose tokens have expired.
    pub async fn refresh(&self, store: &Store, now: Instant) -> Result<(), StoreError> {
        let ended = sessions::ended_since(&mut *store.connection().await?, self.next_read(now)).await?;
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, ended_at| *ended_at >= now - MEMORY);
        known.extend(ended);
        Ok(())
    }

    /// Returns the time with which the next read begins. A session whose end is in the future, by the wrong clock of
    /// another machine, does not hide those that end now.
    fn next_read(&self, now: Instant) -> Instant {
        let oldest = now - MEMORY;
        let last = self.0.read().unwrap_or_else(PoisonError::into_inner).values().max().copied();
        last.map_or(oldest, |last| oldest.max(last.min(now) - OVERLAP))
    }

    /// Reads the ended sessions every second, until `stop`.
    pub async fn keep_fresh(&self, store: &Store, clock: &Clock, stop: CancellationToken) {
        loop {
            let refreshed = tokio::time::timeout(READ_WITHIN, self.refresh(store, clock.now())).await;
            if let Err(error) = refreshed.unwrap_or_else(|_| Err(StoreError::silent())) {
                tracing::warn!(%error, "ended sessions cannot be read; their access tokens stay valid meanwhile");
            }
            if stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_none() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::kernel::clock::fresh;

    #[test]
    fn each_read_begins_before_the_last_known_end_and_never_in_the_future() {
        let now: Instant = "2026-11-23T08:00:00Z".parse().unwrap();
        let sessions = EndedSessions::default();
        assert_eq!(sessions.next_read(now), now - MEMORY);
        let ends = |at: Instant| sessions.0.write().unwrap().insert(fresh(SessionId::from_uuid), at);
        ends(now - Duration::from_secs(5));
        assert_eq!(sessions.next_read(now), now - Duration::from_secs(5) - OVERLAP);
        ends(now + Duration::from_secs(3600));
        assert_eq!(sessions.next_read(now), now - OVERLAP);
    }
}
