//! `songda healthcheck`.

use std::net::SocketAddr;

use songda::env::Env;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Failure;

/// Asks `/readyz` of the API on this machine.
pub async fn run() -> Result<(), Failure> {
    let listen: SocketAddr = Env::of_process()
        .or("SONGDA_LISTEN", "127.0.0.1:8080", "address and port that the API listens on")
        .ok_or("SONGDA_LISTEN is not an address and a port")?;
    let target = SocketAddr::from(([127, 0, 0, 1], listen.port()));
    let mut stream = TcpStream::connect(target).await?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let status = answer.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) == Some("200") { Ok(()) } else { Err(format!("not ready: {status}").into()) }
}
