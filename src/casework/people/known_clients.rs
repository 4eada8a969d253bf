//! The API clients that were looked up a moment ago: a system that hands in thousands of decisions a second is not read
//! from the record for each. A client that is shut out stays known for [`KNOWN_FOR`] at the most.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::domain::clock::Stopwatch;
use crate::domain::ids::ClientId;
use crate::domain::staff::ApiClient;

/// How long a client need not be looked up again.
const KNOWN_FOR: Duration = Duration::from_secs(1);

/// The clients. Cloning shares them. There are as many as an operator let in: few.
#[derive(Clone, Default)]
pub struct KnownClients(Arc<Mutex<HashMap<ClientId, Known>>>);

struct Known {
    since: Stopwatch,
    client: Arc<ApiClient>,
}

impl KnownClients {
    /// A client that was looked up a moment ago.
    #[must_use]
    pub fn find(&self, id: ClientId) -> Option<Arc<ApiClient>> {
        let clients = self.lock();
        let known = clients.get(&id)?;
        (known.since.elapsed() < KNOWN_FOR).then(|| Arc::clone(&known.client))
    }

    /// Remembers what a look-up found; a client that is no more is forgotten.
    pub fn remember(&self, id: ClientId, found: Option<&Arc<ApiClient>>) {
        let mut clients = self.lock();
        match found {
            Some(client) => clients.insert(id, Known { since: Stopwatch::start(), client: Arc::clone(client) }),
            None => clients.remove(&id),
        };
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ClientId, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
