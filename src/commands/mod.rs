//! The sub-commands, one file each.

mod catalog;
mod clients;
#[cfg(feature = "development")]
mod demo;
mod doctor;
mod healthcheck;
mod jobs;
mod keys;
mod lanes;
mod migrate;
mod openapi;
mod progress;
#[cfg(feature = "development")]
mod sandbox;
mod serve;
mod settings;
mod staff;
mod top;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use songda::auth::passwords::Passwords;
use songda::auth::tokens::Tokens;
use songda::casework::frame::bell::Bell;
use songda::casework::people::People;
use songda::casework::people::recent::Recent;
use songda::casework::upkeep::publish_catalogue;
use songda::casework::{Casework, Parts};
use songda::catalog::Catalog as Items;
use songda::config::{RecordSettings, answer_within, signing_keys};
use songda::domain::kernel::clock::Clock;
use songda::domain::notice::notification::ChannelCode;
use songda::domain::notice::reach::Chain;
use songda::env::Env;
use songda::files::Files;
use songda::store::Store;

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
    /// Do jobs: push and courier.
    Work,
    /// Serve and work in one process.
    All,
    /// Bring the database's schema up to date. Run it once per release, before the new processes start.
    Migrate,
    /// Check the catalogue, compare it with the gateways, and publish it.
    #[command(subcommand)]
    Catalog(catalog::Catalog),
    /// Look after officers' accounts.
    #[command(subcommand)]
    Staff(staff::Staff),
    /// Look after API clients of back-office systems.
    #[command(subcommand)]
    Clients(clients::Clients),
    /// Look after jobs and dead letters.
    #[command(subcommand)]
    Jobs(jobs::Jobs),
    /// Make the keys of an installation, and replace those of tokens.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Write the OpenAPI documents, or check that they are fresh.
    Openapi(openapi::Openapi),
    /// Speak every gateway's protocol, for development and tests.
    #[cfg(feature = "development")]
    Sandbox,
    /// Play the main job against a running API and sandbox.
    #[cfg(feature = "development")]
    Demo,
    /// Check everything that Songda stands on, and say what to do.
    Doctor(doctor::Doctor),
    /// Watch the lanes and the workers: `q` quits, `p` pauses.
    Top(top::Top),
    /// List all settings as a table in Markdown.
    Settings,
    /// Ask a running process whether it is ready; for container health checks.
    Healthcheck,
}

/// Why a command failed, for people.
type Failure = Box<dyn Error + Send + Sync>;

/// Runs a command to its end.
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
        Command::Sandbox => sandbox::run().await?,
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
#[expect(clippy::print_stderr, reason = "a command speaks to the person who ran it")]
fn fail(error: &dyn Error) -> ExitCode {
    eprintln!("songda: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        eprintln!("  because: {cause}");
        source = cause.source();
    }
    ExitCode::FAILURE
}

/// All that is wrong with the settings.
fn faults(faults: &[String]) -> Failure {
    let list: Vec<String> = faults.iter().map(|fault| format!("\n  - {fault}")).collect();
    format!("the settings are not complete:{}", list.concat()).into()
}

/// The record, for the administration's commands.
fn record() -> Result<Store, Failure> {
    let mut env = Env::of_process();
    match RecordSettings::read(&mut env) {
        Some(settings) => Ok(settings.store("songda-command")?),
        None => Err(faults(env.faults())),
    }
}

/// The use cases, for the administration's commands: they call no gateway. The bell is heard by nobody; what they
/// promise is found by the sweeper of any running worker.
async fn casework() -> Result<Casework, Failure> {
    let store = record()?;
    let mut env = Env::of_process();
    let (files, answer_within) = (Files::read(&mut env), answer_within(&mut env));
    let (Some(files), Some(answer_within)) = (files, answer_within) else { return Err(faults(env.faults())) };
    let catalog = Items::new(publish_catalogue::read(&store).await?);
    let (bell, _) = Bell::new();
    let (chain, carriers) = (Chain::default(), Vec::new());
    Ok(Casework::new(Parts {
        store,
        clock: Clock::system(),
        catalog,
        files,
        chain,
        carriers,
        answer_within,
        bell,
        code_channel: None,
    }))
}

/// The use cases about people, for the administration's commands: they call no gateway.
fn people() -> Result<People, Failure> {
    let mut env = Env::of_process();
    let (settings, keys) = (RecordSettings::read(&mut env), signing_keys(&mut env));
    let (Some(settings), Some(keys)) = (settings, keys) else { return Err(faults(env.faults())) };
    Ok(People {
        store: settings.store("songda-command")?,
        clock: Clock::system(),
        bell: Bell::new().0,
        tokens: Tokens::new(keys),
        passwords: Passwords::default(),
        login: None,
        identity: None,
        code_channel: ChannelCode::new(""),
        push_channels: [].into(),
        catalog: Items::empty(),
        regions: std::sync::Arc::new(|_| None),
        recent_clients: Recent::default(),
        recent_officers: Recent::default(),
        token_endpoint: "".into(),
    })
}
