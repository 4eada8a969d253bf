//! Processes, servers and connections fail, and no promise is lost or kept twice.

mod attempt_limits;
mod bell;
mod chaos;
mod cluster;
mod flushes;
mod kills;
mod many_processes;
mod outages;
mod releases;
mod restores;
mod sentinels;
mod silence;
mod slowness;
