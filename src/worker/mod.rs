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

pub mod jobs;
pub mod pool;
pub mod settings;
pub mod upkeep;
pub mod workshop;

use std::sync::Arc;

use crate::lifecycle::Tasks;
use crate::worker::pool::floor::Floor;
use crate::worker::pool::{lane, settler};
use crate::worker::upkeep::{abandoned, heartbeat, housekeeper, sweeper};

pub use settings::WorkerSettings;
pub use workshop::Workshop;

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
    tasks.spawn(heartbeat::run(Arc::clone(workshop), floors, tasks.stopping()));
    tasks.spawn(sweeper::run(Arc::clone(workshop), tasks.stopping()));
    tasks.spawn(abandoned::run(Arc::clone(workshop), tasks.stopping()));
    tasks.spawn(housekeeper::run(Arc::clone(workshop), tasks.stopping()));
}
