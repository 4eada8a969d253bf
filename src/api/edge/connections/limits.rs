//! How many connections may be open, in all and from one address, and how long one may be idle.
//!
//! A connection beyond a limit is closed at once. It is not kept waiting, so that a load balancer can try another
//! process.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::api::edge::proxies::Proxies;
use crate::domain::kernel::clock::Stopwatch;
use crate::domain::kernel::network::{CallerAddress, Network};
use crate::env::Env;
use crate::metrics::connections::{self, OpenConnection, ReachedLimit};
use crate::metrics::file_limit;

/// A connection is closed if a request on it makes no progress for this time. It is longer than the time-out of a
/// request, and event streams send something more often.
pub const SILENCE: Duration = Duration::from_secs(75);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// The maximum number of open connections.
    pub in_all: usize,
    /// The maximum number of open connections from one address, where an IPv6 /64 counts as one. `None` behind our own
    /// reverse proxies: all callers come from the proxies' addresses then.
    pub per_address: Option<usize>,
    /// How long a connection may wait for a complete request.
    pub keep_alive: Duration,
    /// How long a request may make no progress.
    pub silence: Duration,
}

impl ConnectionLimits {
    /// The limits of a listener that only the inner network reaches.
    pub const INNER: Self = Self { in_all: 1_000, per_address: None, keep_alive: SILENCE, silence: SILENCE };

    pub fn from_env(env: &mut Env, proxies: Option<Proxies>) -> Option<Self> {
        const KEEP_ALIVE: &str = "SONGDA_KEEP_ALIVE";
        let in_all: Option<NonZeroUsize> = env.or(
            "SONGDA_CONNECTIONS",
            "10000",
            "the most connections that the API keeps open; fewer if the process may open fewer files",
        );
        let per_address: Option<NonZeroUsize> = env.or(
            "SONGDA_CONNECTIONS_PER_ADDRESS",
            "256",
            "the most connections from one network address; not counted behind reverse proxies of ours (`SONGDA_PROXIES`), which must limit it themselves",
        );
        let keep_alive = env.duration(
            KEEP_ALIVE,
            "75s",
            "how long a connection may wait for a complete request: longer than a reverse proxy or load balancer keeps it idle",
        );
        if keep_alive.is_some_and(|limit| limit.is_zero()) {
            env.fault(format!("{KEEP_ALIVE} must be longer than nothing"));
        }
        let is_behind_proxies = proxies?.exist();
        Some(Self {
            in_all: within_file_limit(in_all?.get(), file_limit()),
            per_address: Some(per_address?.get()).filter(|_| !is_behind_proxies),
            keep_alive: keep_alive?,
            silence: SILENCE,
        })
    }
}

/// Lowers a number of connections to what the limit of open files allows. PostgreSQL, Redis, gateways and uploads need
/// files too: a quarter of a small limit, or 256 of a large one.
fn within_file_limit(connections: usize, files: Option<u64>) -> usize {
    let files = files.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX);
    connections.min(files - (files / 4).min(256))
}

/// The open connections of a server. Cloning shares them.
#[derive(Clone)]
pub struct OpenConnections(Arc<Shared>);

struct Shared {
    in_all: usize,
    per_address: Option<usize>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    in_all: usize,
    /// The number of connections from each address that has any.
    from: HashMap<Network, usize>,
}

impl OpenConnections {
    pub fn new(limits: &ConnectionLimits) -> Self {
        let ConnectionLimits { in_all, per_address, .. } = *limits;
        Self(Arc::new(Shared { in_all, per_address, open: Mutex::default() }))
    }

    /// Counts a new connection, unless it would be one too many.
    pub fn admit(&self, address: CallerAddress) -> Result<Slot, ReachedLimit> {
        let from = address.subscriber();
        let mut open = self.0.lock();
        if open.in_all >= self.0.in_all {
            return Err(ReachedLimit::InAll);
        }
        if let Some(limit) = self.0.per_address {
            let count = open.from.entry(from).or_default();
            if *count >= limit {
                return Err(ReachedLimit::Address);
            }
            *count += 1;
        }
        open.in_all += 1;
        drop(open);
        Ok(Slot { shared: Arc::clone(&self.0), from, _counted: OpenConnection::open() })
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open connection, counted until this value is dropped.
#[must_use]
pub struct Slot {
    shared: Arc<Shared>,
    from: Network,
    _counted: OpenConnection,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.shared.lock();
        open.in_all -= 1;
        if let Some(count) = open.from.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                open.from.remove(&self.from);
            }
        }
    }
}

/// Counts refused connections, and logs that there are any: at most once a minute, because strangers decide how many.
#[derive(Default)]
pub struct RefusalLog(Option<Stopwatch>);

impl RefusalLog {
    pub fn note(&mut self, limit: ReachedLimit) {
        const MINUTE: Duration = Duration::from_secs(60);
        connections::count_refused(limit);
        if self.0.is_none_or(|logged| logged.elapsed() > MINUTE) {
            self.0 = Some(Stopwatch::start());
            tracing::warn!(
                limit = limit.label(),
                "connections are refused; songda_http_connections_refused_total counts them"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(in_all: usize, per_address: Option<usize>) -> OpenConnections {
        OpenConnections::new(&ConnectionLimits { in_all, per_address, ..ConnectionLimits::INNER })
    }

    fn admit(open: &OpenConnections, address: &str) -> Result<Slot, ReachedLimit> {
        open.admit(address.parse().unwrap())
    }

    #[test]
    fn an_address_is_limited_in_every_form_and_freed_by_the_end_of_a_connection() {
        let open = open(10, Some(2));
        let first = admit(&open, "192.0.2.1").unwrap();
        let second = admit(&open, "::ffff:192.0.2.1").unwrap();
        assert_eq!(admit(&open, "64:ff9b::192.0.2.1").err(), Some(ReachedLimit::Address));
        let neighbours = [admit(&open, "2001:db8::1"), admit(&open, "2001:db8::2")];
        assert_eq!(admit(&open, "2001:db8::3").err(), Some(ReachedLimit::Address), "one subscriber has the whole /64");
        let others = [admit(&open, "192.0.2.2"), admit(&open, "2001:db8:0:1::1")];
        assert!(neighbours.iter().chain(&others).all(Result::is_ok));
        drop(first);
        assert!(admit(&open, "192.0.2.1").is_ok());
        drop((second, neighbours, others));
        assert!(open.0.lock().from.is_empty() && open.0.lock().in_all == 0, "nothing is remembered");
    }

    #[test]
    fn without_a_limit_for_an_address_only_the_sum_counts() {
        let open = open(3, None);
        let slots: Vec<_> = (0..3).map(|_| admit(&open, "10.0.0.1").unwrap()).collect();
        assert_eq!(admit(&open, "10.0.0.2").err(), Some(ReachedLimit::InAll));
        drop(slots);
        assert!(admit(&open, "10.0.0.2").is_ok());
    }

    #[test]
    fn connections_leave_files_for_everything_else() {
        assert_eq!(within_file_limit(10_000, Some(1_024)), 768);
        assert_eq!(within_file_limit(10_000, Some(100)), 75);
        assert_eq!(within_file_limit(10_000, Some(1 << 20)), 10_000);
        assert_eq!(within_file_limit(10_000, None), 10_000);
    }

    #[test]
    fn our_own_proxies_are_not_limited_like_a_caller() {
        let read = |settings: &[(&str, &str)]| {
            let mut env = Env::of(settings.iter().copied());
            let proxies = Proxies::from_env(&mut env);
            (ConnectionLimits::from_env(&mut env, proxies), env.faults().len())
        };
        assert_eq!(read(&[]).0.unwrap().per_address, Some(256));
        assert_eq!(read(&[("SONGDA_PROXIES", "1")]).0.unwrap().per_address, None);
        assert_eq!(read(&[("SONGDA_KEEP_ALIVE", "0s")]).1, 1);
    }
}
