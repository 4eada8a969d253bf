//! The API of operators: `/ops/v1`.

pub mod jobs;
pub mod lanes;
pub mod tag;

use crate::api::edge::openapi::document::About;
use crate::api::services::Services;

/// The structs with all operations of this API. Its routes and its OpenAPI document are built from them.
pub type Api = (jobs::OpsJobs, lanes::Lanes);

pub fn api(services: &Services) -> Api {
    (jobs::OpsJobs(services.clone()), lanes::Lanes(services.clone()))
}

pub const ABOUT: About = About {
    file: "ops",
    title: "运维 · Songda operations API",
    description: "任务、死信与重放。 Jobs: the pending, the dead, every attempt, and replays.",
};
