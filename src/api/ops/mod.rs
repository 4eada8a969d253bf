//! What operators ask for: `/ops/v1`.

pub mod jobs;
pub mod lanes;
pub mod tag;

use super::edge::openapi::About;
use crate::api::edge::parameters::paging::Cursors;
use crate::casework::Casework;
use crate::queue::Queue;

/// The operations: one implementation per group of paths.
pub type Api = (jobs::Jobs, lanes::Lanes);

/// Puts the operations together.
#[must_use]
pub fn api(casework: &Casework, queue: &Queue, cursors: &Cursors) -> Api {
    (
        jobs::Jobs { casework: casework.clone(), cursors: cursors.clone() },
        lanes::Lanes { casework: casework.clone(), queue: queue.clone() },
    )
}

/// The document.
pub const ABOUT: About = About {
    file: "ops",
    title: "运维 · Songda operations API",
    description: "任务、死信与重放。 Jobs: what is due, what was tried, what is dead, and how it is replayed.",
    open: &[],
};
