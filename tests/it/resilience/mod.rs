//! Processes, servers and connections fail, and no message or parcel is lost or sent twice.

mod attempt_limits;
mod bell;
mod chaos;
mod cluster;
mod flushes;
mod kills;
mod many_processes;
mod outages;
mod rate_limiter;
mod releases;
mod restores;
mod sentinels;
mod silence;
mod slowness;
