//! The sub-commands, one file each.

mod catalog;
mod clients;
#[cfg(feature = "development")]
mod demo;
mod doctor;
mod failure;
mod healthcheck;
mod jobs;
mod keys;
mod lanes;
mod migrate;
mod openapi;
mod progress;
mod record;
#[cfg(feature = "development")]
mod sandbox;
mod serve;
mod settings;
mod staff;
mod top;
mod umask;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

/// 送达: from an approval on the phone to the result at the door. Settings are environment variables; `songda settings`
/// lists them.
#[derive(Parser)]
#[command(version)]
pub struct Songda {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API.
    Serve,
    /// Run the jobs: push messages and courier orders.
    Work,
    /// Serve the API and run the jobs in one process.
    All,
    /// Migrate the database to the current schema. Run this once per release, before the new processes start.
    Migrate,
    /// Check the catalogue, compare it with the gateways, and publish it.
    #[command(subcommand)]
    Catalog(catalog::Catalog),
    /// Manage officers' accounts.
    #[command(subcommand)]
    Staff(staff::Staff),
    /// Manage the API clients of back-office systems.
    #[command(subcommand)]
    Clients(clients::Clients),
    /// List jobs and replay dead letters.
    #[command(subcommand)]
    Jobs(jobs::Jobs),
    /// Make the keys of an installation, or add a token key.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Write the OpenAPI documents, or check that they are up to date.
    Openapi(openapi::Openapi),
    /// Simulate every gateway, for development and tests.
    #[cfg(feature = "development")]
    Sandbox {
        #[command(subcommand)]
        command: Option<sandbox::SandboxCommand>,
    },
    /// Play a case from the application to the delivered result, against a running API and sandbox.
    #[cfg(feature = "development")]
    Demo,
    /// Check everything that Songda depends on, and give advice.
    Doctor(doctor::Doctor),
    /// Watch the lanes and the workers: `q` quits, `p` pauses.
    Top(top::Top),
    /// List all settings as a table in Markdown.
    Settings,
    /// Ask a running process whether it is ready; for container health checks.
    Healthcheck,
}

pub fn run(songda: Songda) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    match runtime.block_on(dispatch(songda.command)) {
        Ok(code) => code,
        Err(error) => fail(error.as_ref()),
    }
}

async fn dispatch(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Serve => serve::run(serve::Part::Api).await?,
        Command::Work => serve::run(serve::Part::Worker).await?,
        Command::All => serve::run(serve::Part::Both).await?,
        Command::Migrate => migrate::run().await?,
        Command::Catalog(command) => catalog::run(command).await?,
        Command::Staff(command) => staff::run(command).await?,
        Command::Clients(command) => clients::run(command).await?,
        Command::Jobs(command) => jobs::run(command).await?,
        Command::Keys(command) => keys::run(command)?,
        Command::Openapi(command) => openapi::run(&command)?,
        #[cfg(feature = "development")]
        Command::Sandbox { command } => sandbox::run(command).await?,
        #[cfg(feature = "development")]
        Command::Demo => return demo::run().await,
        Command::Doctor(command) => return Ok(doctor::run(&command).await),
        Command::Top(command) => top::run(command).await?,
        Command::Settings => settings::run(),
        Command::Healthcheck => healthcheck::run().await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints an error with all its causes.
fn fail(error: &dyn Error) -> ExitCode {
    eprintln!("songda: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        eprintln!("  because: {cause}");
        source = cause.source();
    }
    ExitCode::FAILURE
}
