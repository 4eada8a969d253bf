//! Processes, servers and connections fail, and no promise is lost or kept twice.

mod attempt_limits;
mod bell;
mod chaos;
mod cluster;
mod flushes;
pub mod kills;
mod many_processes;
pub mod outages;
mod releases;
mod restores;
mod sentinels;
pub mod silence;
mod slowness;
