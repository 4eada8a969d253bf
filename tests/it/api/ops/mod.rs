//! The operations API (`/ops/v1`), one file a noun.

mod job_replays;
mod jobs;
