//! The worker keeps promises: it hears of due jobs, claims them, does them, and settles them.
//!
//! ```text
//! relay ──► Redis Streams ──► lane (one a gateway) ──► jobs/<kind> ──► verdict ──► settler ──► PostgreSQL, then Redis
//!               ▲                                                                     │
//!            sweeper: what was promised and is not on a stream ◄──────────────────────┘
//! ```
//!
//! Each lane has its own stream, its own slots, its own rate and its own breaker, so that one slow gateway delays
//! nobody else. Whatever dies between two steps, the lease of its jobs ends and somebody else takes them.

pub mod breaker;
pub mod jobs;
pub mod lane;
pub mod pulse;
pub mod relay;
pub mod settings;
pub mod settler;
pub mod sweeper;
pub mod verdict;

use std::sync::Arc;

use crate::casework::Casework;
use crate::domain::address::PostalAddress;
use crate::domain::job::Lane;
use crate::gateway::courier::Carriers;
use crate::gateway::push::Channels;
use crate::lifecycle::Tasks;
use crate::queue::Queue;
use crate::queue::brake::Rate;

pub use settings::WorkerSettings;

/// Everything that doing a job may need.
pub struct Workshop {
    /// The use cases.
    pub casework: Casework,
    /// Redis.
    pub queue: Queue,
    /// The channels.
    pub channels: Channels,
    /// The carriers.
    pub carriers: Carriers,
    /// Who sends parcels.
    pub office: PostalAddress,
    /// Limits and time-outs.
    pub settings: WorkerSettings,
    /// What this worker is called in leases and attempts.
    pub name: String,
    /// Shows that it is alive.
    pub pulse: pulse::Pulse,
}

impl Workshop {
    /// Every lane that this installation has.
    #[must_use]
    pub fn lanes(&self) -> Vec<Lane> {
        let push = self.channels.iter().map(|channel| Lane::push(channel.code()));
        let courier = self.carriers.iter().map(|carrier| Lane::courier(carrier.code()));
        push.chain(courier).chain([Lane::inside()]).collect()
    }

    /// How fast a lane may go: as the settings say for all, or as slowly as its carrier wants.
    fn rate(&self, lane: &Lane) -> Rate {
        let carrier = self.carriers.iter().find(|carrier| Lane::courier(carrier.code()) == *lane);
        let all = self.settings.rate.per_second;
        let own = carrier.and_then(|carrier| carrier.calls_a_second()).unwrap_or(all);
        Rate { per_second: own.min(all) }
    }
}

/// Starts a worker. It stops when the tasks are asked to, having finished what is under way.
pub fn start(workshop: &Arc<Workshop>, tasks: &Tasks) {
    let (settler, settled) = settler::channel();
    for lane in workshop.lanes() {
        tasks.spawn(lane::run(Arc::clone(workshop), lane, settler.clone(), tasks.clone()));
    }
    tasks.spawn(settler::run(Arc::clone(workshop), settled));
    tasks.spawn(sweeper::run(Arc::clone(workshop), tasks.stopping()));
}
