//! The worker keeps promises: it hears of due jobs, claims them, does them, and settles them.
//!
//! ```text
//! relay ──► Redis Streams ──► lane ──► floor ──► jobs/<kind> ──► verdict ──► settler ──► PostgreSQL, then Redis
//!               ▲           (claims)  (slots)                                           │
//!            sweeper: what was promised and is not on a stream ◄────────────────────────┘
//! ```
//!
//! Each lane has its own stream, its own slots, its own rate and its own breaker, so that one slow gateway delays
//! nobody else. One-time codes have a lane beside that of their channel's pushes, whose rate they share and draw from
//! first, so that nobody waits behind a burst of decisions to sign in. Whatever dies between two steps, the lease of its jobs ends and somebody else takes them.

pub mod abandoned;
pub mod attempt;
pub mod breaker;
pub mod doubts;
pub mod floor;
pub mod gate;
pub mod gone;
pub mod housekeeper;
pub mod jobs;
pub mod lane;
mod offering;
pub mod patience;
pub mod pulse;
pub mod relay;
pub mod roll_call;
pub mod settings;
pub mod settler;
pub mod sweeper;
pub mod verdict;

use std::sync::Arc;

use crate::casework::Casework;
use crate::domain::address::PostalAddress;
use crate::domain::job::Lane;
use crate::domain::pace::Pace;
use crate::gateway::courier::Carriers;
use crate::gateway::push::Channels;
use crate::lifecycle::Tasks;
use crate::queue::Queue;
use crate::store::StoreError;

use floor::Floor;

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
    /// What it heard of addresses that are gone.
    pub gone: gone::Gone,
}

impl Workshop {
    /// What the record answers, if it does within a lease. After that the answer is of no use to anybody: the line to
    /// the record is silent, and whatever waits for it must go on over another one.
    ///
    /// # Errors
    /// When the record is unavailable, or does not answer.
    pub async fn in_time<T>(&self, answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        tokio::time::timeout(self.settings.lease, answer).await.unwrap_or_else(|_| Err(StoreError::silent()))
    }

    /// Every lane that this installation has, with its pace.
    #[must_use]
    pub fn lanes(&self) -> Vec<(Lane, Pace)> {
        let push = self.channels.iter().map(|channel| (Lane::push(channel.code()), channel.pace()));
        let carrying = self.channels.iter().filter(|channel| channel.login_template().is_some());
        let codes = carrying.map(|channel| (Lane::login(channel.code()), channel.pace()));
        let courier = self.carriers.iter().map(|carrier| (Lane::courier(carrier.code()), carrier.pace()));
        push.chain(codes).chain(courier).chain([(Lane::inside(), self.settings.inside)]).collect()
    }
}

/// Starts a worker. It stops when the tasks are asked to, having finished what is under way.
pub fn start(workshop: &Arc<Workshop>, tasks: &Tasks) {
    let (settler, settled) = settler::channel();
    let mut floors = Vec::new();
    for (lane, pace) in workshop.lanes() {
        let floor = Arc::new(Floor::new(Arc::clone(workshop), lane.clone(), pace.slots, settler.clone()));
        floors.push(Arc::clone(&floor));
        tasks.spawn(lane::run(Arc::clone(workshop), lane, pace, floor, tasks.clone()));
    }
    drop(settler);
    tasks.spawn(settler::run(Arc::clone(workshop), settled));
    tasks.spawn(roll_call::run(Arc::clone(workshop), floors, tasks.stopping()));
    tasks.spawn(sweeper::run(Arc::clone(workshop), tasks.stopping()));
    tasks.spawn(abandoned::run(Arc::clone(workshop), tasks.stopping()));
    tasks.spawn(housekeeper::run(Arc::clone(workshop), tasks.stopping()));
}
