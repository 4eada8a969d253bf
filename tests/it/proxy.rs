//! A TCP proxy that misbehaves on demand, to be put before PostgreSQL, Redis or a gateway: it delays, falls silent
//! with its connections open (as a machine does that lost its power), or cuts them.

use std::net::SocketAddr;
use std::time::Duration;

use songda::lifecycle::Tasks;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How the proxy behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// Everything passes.
    Open,
    /// Everything passes, each piece this much later.
    Slow(Duration),
    /// Connections stand and are even accepted, but nothing passes.
    Silent,
    /// Connections are closed, and new ones as soon as they are made.
    Cut,
}

/// A proxy before one address. It ends when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    line: watch::Sender<Line>,
    tasks: Tasks,
}

impl Proxy {
    /// Starts one on a free port.
    pub async fn before(target: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (line, seen) = watch::channel(Line::Open);
        let tasks = Tasks::new();
        tasks.spawn(listen(listener, target, seen, tasks.clone()));
        Self { address, line, tasks }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes how it behaves, for connections that stand already too.
    pub fn set(&self, line: Line) {
        self.line.send_replace(line);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.tasks.stopping().cancel();
    }
}

async fn listen(listener: TcpListener, target: SocketAddr, line: watch::Receiver<Line>, tasks: Tasks) {
    let stop = tasks.stopping();
    while let Some(Ok((client, _))) = stop.run_until_cancelled(listener.accept()).await {
        let (line, stop) = (line.clone(), stop.clone());
        tasks.spawn(async move {
            stop.run_until_cancelled(connect(client, target, line)).await;
        });
    }
}

async fn connect(client: TcpStream, target: SocketAddr, line: watch::Receiver<Line>) {
    if *line.borrow() == Line::Cut {
        return;
    }
    let Ok(server) = TcpStream::connect(target).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut cut = line.clone();
    tokio::select! {
        () = carry(from_client, to_server, line.clone()) => {}
        () = carry(from_server, to_client, line) => {}
        _ = cut.wait_for(|line| *line == Line::Cut) => {}
    }
}

/// Carries bytes one way until either side closes.
async fn carry(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut line: watch::Receiver<Line>,
) {
    let mut piece = vec![0; 16 << 10];
    loop {
        let Ok(read @ 1..) = from.read(&mut piece).await else { return };
        let Ok(now) = line.wait_for(|line| *line != Line::Silent).await.map(|line| *line) else { return };
        if let Line::Slow(delay) = now {
            tokio::time::sleep(delay).await;
        }
        if to.write_all(&piece[..read]).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn the_proxy_passes_falls_silent_and_cuts() {
    let echo = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let proxy = Proxy::before(echo.local_addr().unwrap()).await;
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    let (mut server, _) = echo.accept().await.unwrap();
    let mut byte = [0];

    client.write_all(b"a").await.unwrap();
    assert_eq!(server.read_exact(&mut byte).await.unwrap(), 1, "it passes");

    proxy.set(Line::Silent);
    client.write_all(b"b").await.unwrap();
    let soon = Duration::from_millis(50);
    assert!(tokio::time::timeout(soon, server.read_exact(&mut byte)).await.is_err(), "it is silent");

    proxy.set(Line::Slow(Duration::from_millis(1)));
    server.read_exact(&mut byte).await.unwrap();
    assert_eq!(&byte, b"b", "nothing is lost by silence");

    proxy.set(Line::Cut);
    assert_eq!(client.read(&mut byte).await.unwrap_or(0), 0, "the connection is closed");
}
