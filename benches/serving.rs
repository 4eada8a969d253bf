//! Servers on free ports of this machine.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::Measured;
use crate::library::Stopwatch;
use crate::wire::{self, Connection};

/// Returns an address of this machine that is free now.
pub async fn free_address() -> Measured<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()?)
}

/// Waits until a server answers `path` with 200. It polls often, because start times are measured with it.
pub async fn answers(address: SocketAddr, path: &str) -> Measured<()> {
    const TIMEOUT: Duration = Duration::from_secs(30);
    const POLL_EVERY: Duration = Duration::from_millis(2);
    let request = wire::request("GET", path, &[], "");
    let watch = Stopwatch::start();
    while watch.elapsed() < TIMEOUT {
        if let Ok(mut connection) = Connection::open(address).await
            && connection.exchange(&request).await?.status() == Some(200)
        {
            return Ok(());
        }
        tokio::time::sleep(POLL_EVERY).await;
    }
    Err(format!("no server answers at {address}{path}").into())
}
