//! What operators ask for: `/ops/v1`.

use super::edge::openapi::About;

/// The operations: one implementation per group of paths.
pub type Api = ();

/// The document.
pub const ABOUT: About = About {
    file: "ops",
    title: "运维 · Songda operations API",
    description: "任务、死信与重放。 Jobs: what is due, what was tried, what is dead, and how it is replayed.",
    open: &[],
};
