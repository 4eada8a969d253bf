//! `songda sandbox`.

use songda::env::Env;
use songda::lifecycle::asked_to_stop;
use songda::registry::Registry;
use songda::sandbox::{self, Settings};
use songda::telemetry::logs::{self, LogSettings};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Failure, faults};

/// Speaks every gateway's protocol until asked to stop.
pub async fn run() -> Result<(), Failure> {
    let mut env = Env::of_process();
    let log = LogSettings::read(&mut env);
    let settings = Settings::read(&mut env, Registry::shipped().twins());
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
