//! `songda demo`.

use std::process::ExitCode;

use songda::demo;
use songda::env::Env;

use super::failure::{Failure, faults};

/// Runs the demonstration. The last line that it prints is the verdict.
pub async fn run() -> Result<ExitCode, Failure> {
    let mut env = Env::of_process();
    let settings = demo::DemoSettings::read(&mut env).ok_or_else(|| faults(env.faults()))?;
    Ok(if demo::play(settings).await { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
