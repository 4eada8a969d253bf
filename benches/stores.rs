//! What PostgreSQL and Redis cost, where they are the private ones of `script/services`.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::Measured;
use crate::process::{cpu_of, cpu_of_family};

/// Processor time of both so far: PostgreSQL's with all its backends, those that ended included.
pub fn cpu() -> Measured<Duration> {
    let home = PathBuf::from(env::var("SERVICES_HOME").map_err(|_| "run script/bench, which starts private stores")?);
    let first_line = |path: &str| -> Measured<u32> {
        let text = fs::read_to_string(home.join(path))?;
        Ok(text.lines().next().unwrap_or_default().trim().parse()?)
    };
    Ok(cpu_of_family(first_line("postgres/data/postmaster.pid")?)? + cpu_of(first_line("redis/pid")?)?)
}
