//! `songda serve`, `work` and `all`.

use songda::app::App;
use songda::config::Config;
use songda::env::Env;
use songda::lifecycle::asked_to_stop;
use songda::registry::Registry;
use songda::telemetry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Failure, faults};

/// Which part of Songda this process is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The API.
    Api,
    /// A worker.
    Worker,
    /// Both.
    Both,
}

/// Runs until asked to stop. A second request to stop ends the process at once.
pub async fn run(part: Part) -> Result<(), Failure> {
    let config = Config::read(&mut Env::of_process(), &Registry::shipped()).map_err(|all| faults(&all))?;
    telemetry::start(&config.log);
    let listen = config.listen;
    let app = App::build(config).await?;
    let stop = CancellationToken::new();
    let (api, worker) = (serve(&app, part, listen, &stop), work(&app, part, &stop));
    let stopped = async {
        asked_to_stop().await;
        tracing::info!("stopping");
        stop.cancel();
        asked_to_stop().await;
        tracing::warn!("stopping at once");
    };
    tokio::select! {
        ended = async { tokio::try_join!(api, worker) } => ended.map(drop),
        () = stopped => Ok(()),
    }
}

async fn serve(app: &App, part: Part, listen: std::net::SocketAddr, stop: &CancellationToken) -> Result<(), Failure> {
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
    Ok(app.work(stop.clone()).await?)
}
