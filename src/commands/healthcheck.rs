//! `songda healthcheck`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use songda::config;
use songda::env::Env;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::failure::{Failure, faults};

/// Requests `/readyz` from the process on this machine that has the same settings: from its watch listener if it has
/// one, otherwise from its API.
pub async fn run() -> Result<(), Failure> {
    let mut env = Env::of_process();
    let listen = config::listen(&mut env);
    let watch_listen = config::watch_listen(&mut env);
    let target = watch_listen.or(listen).filter(|_| env.faults().is_empty()).ok_or_else(|| faults(env.faults()))?;
    let mut stream = TcpStream::connect(reachable(target)).await?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let status = answer.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) == Some("200") { Ok(()) } else { Err(format!("not ready: {status}").into()) }
}

/// The address at which the same machine reaches a listener: the loopback address if it listens on all addresses.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_all_addresses_is_reached_on_loopback() {
        let at = |listen: &str| reachable(listen.parse().unwrap()).to_string();
        assert_eq!(at("0.0.0.0:9464"), "127.0.0.1:9464");
        assert_eq!(at("[::]:9464"), "[::1]:9464");
        assert_eq!(at("10.0.0.5:9464"), "10.0.0.5:9464");
    }
}
