//! `songda sandbox`.

use clap::Subcommand;
use reqwest::Url;
use songda::env::Env;
use songda::lifecycle::asked_to_stop;
use songda::registry::Registry;
use songda::sandbox::{self, SandboxSettings};
use songda::telemetry::logs::{self, LogSettings};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::failure::{Failure, faults};

#[derive(Subcommand)]
pub enum SandboxCommand {
    /// Print the settings of a Songda that uses this sandbox, each as a line `NAME=value`, for a shell or an env file.
    Env {
        /// The address at which that Songda reaches the sandbox: `http://sandbox:8090`.
        #[arg(long)]
        url: Url,
    },
}

/// Runs the sub-command. Without a sub-command, simulates all gateways until the process is asked to stop.
pub async fn run(command: Option<SandboxCommand>) -> Result<(), Failure> {
    match command {
        Some(SandboxCommand::Env { url }) => print(&url),
        None => serve().await,
    }
}

fn print(url: &Url) -> Result<(), Failure> {
    let mut env = Env::of_process();
    let settings = SandboxSettings::read(&mut env, Registry::shipped().twins()).ok_or_else(|| faults(env.faults()))?;
    for (name, value) in settings.client_settings(url.as_str()) {
        println!("{name}={}", quoted(&value));
    }
    Ok(())
}

/// Returns a value for an assignment in a shell: in single quotes if the shell would interpret a character in it. A `*` in
/// an assignment is not expanded.
fn quoted(value: &str) -> String {
    let literal = |c: char| c.is_alphanumeric() || "-_./:@%+=,*".contains(c);
    if value.chars().all(literal) { value.to_owned() } else { format!("'{}'", value.replace('\'', r"'\''")) }
}

async fn serve() -> Result<(), Failure> {
    let mut env = Env::of_process();
    let log = LogSettings::read(&mut env);
    let settings = SandboxSettings::read(&mut env, Registry::shipped().twins());
    let (Some(log), Some(settings)) = (log, settings) else { return Err(faults(env.faults())) };
    logs::start(&log);
    let listener = TcpListener::bind(settings.listen).await?;
    tracing::info!("listening on http://{}", listener.local_addr()?);
    let stop = CancellationToken::new();
    let serve = sandbox::serve(settings, listener, stop.clone());
    tokio::pin!(serve);
    tokio::select! {
        ended = &mut serve => return Ok(ended?),
        () = asked_to_stop() => stop.cancel(),
    }
    Ok(serve.await?)
}
