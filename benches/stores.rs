//! The processes of the private PostgreSQL and Redis that `script/services` started.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::Measured;
use crate::process::{cpu_of, cpu_of_family};

/// Returns the processor time of PostgreSQL and Redis together so far, including PostgreSQL's backends that ended.
pub fn cpu() -> Measured<Duration> {
    Ok(cpu_of_family(postgres()?)? + cpu_of(redis()?)?)
}

/// Returns the process id of PostgreSQL's postmaster.
pub fn postgres() -> Measured<u32> {
    id_in("postgres/data/postmaster.pid")
}

/// Returns the process id of Redis.
pub fn redis() -> Measured<u32> {
    id_in("redis/pid")
}

/// Returns the process id in the first line of a file below the services' folder.
fn id_in(path: &str) -> Measured<u32> {
    let home =
        env::var("SERVICES_HOME").map_err(|_| "no private stores: run script/bench without SONGDA_DATABASE_URL")?;
    let text = fs::read_to_string(PathBuf::from(home).join(path))?;
    Ok(text.lines().next().unwrap_or_default().trim().parse()?)
}
