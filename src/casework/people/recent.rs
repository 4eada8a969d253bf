//! Caches the accounts of API clients and officers for [`RECENT_FOR`], so that a busy client does not cost a database
//! look-up for each request. So a revoked or changed account stays usable for up to this time.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;

use crate::domain::kernel::clock::Stopwatch;

/// How long a cached account is used.
const RECENT_FOR: Duration = Duration::from_secs(1);

/// The maximum number of accounts in the cache. If it is exceeded, accounts that were not used recently are dropped
/// first.
const REMEMBERED: usize = 4096;

/// Cached accounts by id. Clones share the cache.
pub struct Recent<I, T>(Arc<Cache<I, Entry<T>>>);

/// An account, and the time since it was looked up.
type Entry<T> = (Arc<Stopwatch>, Arc<T>);

impl<I, T> Clone for Recent<I, T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<I: Hash + Eq, T> Default for Recent<I, T> {
    fn default() -> Self {
        Self(Arc::new(Cache::new(REMEMBERED)))
    }
}

impl<I: Hash + Eq, T> Recent<I, T> {
    /// Returns a cached account that was looked up less than a second ago.
    pub fn find(&self, id: &I) -> Option<Arc<T>> {
        let (since, known) = self.0.get(id)?;
        (since.elapsed() < RECENT_FOR).then_some(known)
    }

    /// Caches the result of a look-up. If the look-up found nothing, the cached account is dropped.
    pub fn remember(&self, id: I, found: Option<&Arc<T>>) {
        match found {
            Some(found) => self.0.insert(id, (Arc::new(Stopwatch::start()), Arc::clone(found))),
            None => drop(self.0.remove(&id)),
        }
    }
}
