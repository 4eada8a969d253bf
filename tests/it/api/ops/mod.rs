//! The operations API (`/ops/v1`), a file for each noun, and the commands that do the same.

mod job_replays;
mod jobs;
mod lanes;
