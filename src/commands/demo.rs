//! `songda demo`.

use std::process::ExitCode;

use songda::demo;
use songda::env::Env;

use super::{Failure, faults};

/// Plays the main job. Its own last line says how it went.
pub async fn run() -> Result<ExitCode, Failure> {
    let mut env = Env::of_process();
    let settings = demo::DemoSettings::read(&mut env).ok_or_else(|| faults(env.faults()))?;
    Ok(if demo::play(settings).await { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
