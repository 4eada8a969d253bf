//! The worker reads the ids of due jobs from Redis, claims the jobs in the database, makes attempts at them, and
//! settles them: it stores the result of each attempt.
//!
//! ```text
//! relay ──► Redis Streams ──► lane ──► lane pool ──► jobs/<kind> ──► verdict ──► settler ──► PostgreSQL, then Redis
//!               ▲           (claims)    (slots)                                               │
//!            sweeper: due jobs that are on no stream ◄────────────────────────────────────────┘
//! ```
//!
//! A lane is the queue of jobs for one gateway. It has its own Redis stream, rate limit, circuit breaker and slots (the
//! number of attempts at the same time). So a slow gateway delays no other gateway. One-time codes have a lane of their
//! own, beside the lane for the pushes of the same channel. Both lanes share one rate limit, and codes go first, so
//! that no sign-in waits behind a burst of decisions. If a worker dies, the leases of its jobs end, and other workers
//! take the jobs over.

pub mod attempts;
pub mod gone_addresses;
pub mod health;
pub mod jobs;
pub mod offers;
pub mod pool;
pub mod settings;
pub mod upkeep;
pub mod workshop;

use std::sync::Arc;

use crate::lifecycle::Tasks;
use crate::worker::offers::sweeper;
use crate::worker::pool::lane_pool::LanePool;
use crate::worker::pool::{lane, settler};
use crate::worker::upkeep::{abandoned, heartbeat, housekeeper};
use crate::worker::workshop::Workshop;

/// Starts the tasks of a worker. When the process stops, they finish the attempts that are under way.
pub fn start(workshop: &Arc<Workshop>, tasks: &Tasks) {
    let (settler, ended) = settler::channel();
    let mut pools = Vec::new();
    for (lane, pace) in workshop.lanes() {
        let pool = Arc::new(LanePool::new(Arc::clone(workshop), lane.clone(), pace.slots, settler.clone()));
        pools.push(Arc::clone(&pool));
        tasks.spawn(lane::run(Arc::clone(workshop), lane, pace, pool, tasks.clone()));
    }
    drop(settler);
    tasks.spawn(settler::run(Arc::clone(workshop), ended));
    tasks.spawn(heartbeat::run(Arc::clone(workshop), pools, tasks.stopping()));
    tasks.spawn(sweeper::run(Arc::clone(workshop), tasks.stopping()));
    tasks.spawn(abandoned::run(Arc::clone(workshop), tasks.stopping()));
    tasks.spawn(housekeeper::run(Arc::clone(workshop), tasks.stopping()));
}
