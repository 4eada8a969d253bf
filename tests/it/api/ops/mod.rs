//! The operations API (`/ops/v1`) and the commands that do the same, with one file for each kind of resource.

mod job_replays;
mod jobs;
mod lanes;
