//! `songda serve`, `work` and `all`.

use std::net::SocketAddr;

use songda::app::App;
use songda::config::Config;
use songda::env::Env;
use songda::lifecycle::asked_to_stop;
use songda::registry::Registry;
use songda::telemetry::{logs, traces};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::failure::{Failure, faults};
use super::umask;

/// Which part of Songda this process is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Api,
    Worker,
    Both,
}

impl Part {
    /// The sub-command's name.
    const fn name(self) -> &'static str {
        match self {
            Self::Api => "serve",
            Self::Worker => "work",
            Self::Both => "all",
        }
    }
}

/// Runs until asked to stop. A second request to stop ends the process at once.
pub async fn run(part: Part) -> Result<(), Failure> {
    umask::keep_others_out();
    let read = if part == Part::Worker { Config::read_to_work } else { Config::read };
    let config = read(&mut Env::of_process(), &Registry::shipped()).map_err(|all| faults(&all))?;
    logs::start(&config.log);
    for risky in &config.accepted_risks {
        tracing::warn!(risk = risky.risk.as_str(), "accepted with SONGDA_ALLOW: {}", risky.what);
    }
    let traces = traces::start(&config.traces, part.name())?;
    let ended = live(part, config).await;
    traces.finish().await;
    ended
}

async fn live(part: Part, config: Config) -> Result<(), Failure> {
    let listen = config.listen;
    let watch_listen = config.watch_listen;
    let app = App::build(config).await?;
    let stop = CancellationToken::new();
    let api = serve(&app, part, listen, &stop);
    let worker = work(&app, part, &stop);
    let stopped = async {
        asked_to_stop().await;
        tracing::info!("stopping");
        stop.cancel();
        asked_to_stop().await;
        tracing::warn!("stopping at once");
    };
    tokio::select! {
        ended = async { tokio::try_join!(api, worker) } => ended.map(drop),
        failed = watch(&app, part, watch_listen, &stop) => failed,
        () = stopped => Ok(()),
    }
}

async fn serve(app: &App, part: Part, listen: SocketAddr, stop: &CancellationToken) -> Result<(), Failure> {
    if part == Part::Worker {
        return Ok(());
    }
    let listener = TcpListener::bind(listen).await?;
    Ok(app.serve_api(listener, stop.clone()).await?)
}

async fn work(app: &App, part: Part, stop: &CancellationToken) -> Result<(), Failure> {
    if part == Part::Api {
        return Ok(());
    }
    app.work(stop.clone()).await;
    Ok(())
}

/// Serves health checks and metrics on the watch listener. If there is no watch listener, waits forever, so that the
/// `select!` in `live` does not end.
async fn watch(app: &App, part: Part, listen: Option<SocketAddr>, stop: &CancellationToken) -> Result<(), Failure> {
    let Some(listen) = listen else { return std::future::pending().await };
    let listener = TcpListener::bind(listen).await?;
    Ok(app.serve_watch(listener, part != Part::Worker, stop).await?)
}
