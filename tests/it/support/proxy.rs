//! A TCP proxy that misbehaves on demand, to be put before PostgreSQL, Redis or a gateway: it delays, falls silent
//! with its connections open (as a machine does that lost its power), or cuts them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
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

/// A proxy before one address, or before several that do the same. It ends when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    line: watch::Sender<State>,
    struck: Arc<AtomicU64>,
    tasks: Tasks,
}

/// How the proxy behaves, and since which order.
#[derive(Debug, Clone, Copy)]
struct State {
    line: Line,
    order: u64,
    /// Connections that were made before this order stay silent for good, as if the other machine were gone.
    lost_before: u64,
}

impl Proxy {
    /// Starts one on a free port.
    pub async fn before(target: SocketAddr) -> Self {
        Self::among(vec![target]).await
    }

    /// Starts one on a free port that brings each connection to the next server that takes it.
    pub async fn among(targets: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (line, seen) = watch::channel(State { line: Line::Open, order: 1, lost_before: 0 });
        let (tasks, struck) = (Tasks::new(), Arc::new(AtomicU64::new(0)));
        let targets = Targets { addresses: targets.into(), next: AtomicUsize::new(0) };
        tasks.spawn(listen(listener, Arc::new(targets), seen, Arc::clone(&struck), tasks.clone()));
        Self { address, line, struck, tasks }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes how it behaves, for connections that stand already too.
    pub fn set(&self, line: Line) {
        self.line.send_modify(|state| (state.line, state.order) = (line, state.order + 1));
    }

    /// Everything passes; but the connections that stand hear nothing any more, and are not told that.
    pub fn lose(&self) {
        self.line.send_modify(|state| {
            *state = State { line: Line::Open, order: state.order + 1, lost_before: state.order + 1 };
        });
    }

    /// How many connections were cut, lost, held up or slowed down in the middle of something, each once for every order.
    pub fn struck(&self) -> u64 {
        self.struck.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.tasks.stopping().cancel();
    }
}

/// The servers behind a proxy.
struct Targets {
    addresses: Box<[SocketAddr]>,
    next: AtomicUsize,
}

impl Targets {
    async fn connect(&self) -> Option<TcpStream> {
        for _ in 0..self.addresses.len() {
            let next = self.next.fetch_add(1, Ordering::Relaxed) % self.addresses.len();
            if let Ok(server) = TcpStream::connect(self.addresses[next]).await {
                return Some(server);
            }
        }
        None
    }
}

async fn listen(
    listener: TcpListener,
    targets: Arc<Targets>,
    line: watch::Receiver<State>,
    struck: Arc<AtomicU64>,
    tasks: Tasks,
) {
    let stop = tasks.stopping();
    while let Some(Ok((client, _))) = stop.run_until_cancelled(listener.accept()).await {
        let (line, stop, targets) = (line.clone(), stop.clone(), Arc::clone(&targets));
        let (made, struck) = (line.borrow().order, Arc::clone(&struck));
        tasks.spawn(async move {
            let passage = Passage { line, made, struck, counted: AtomicU64::new(0) };
            stop.run_until_cancelled(passage.connect(client, &targets)).await;
        });
    }
}

/// When even the machines between give a lost connection up, and both ends hear of it.
const BURIED_AFTER: Duration = Duration::from_secs(300);

/// One connection through the proxy.
struct Passage {
    line: watch::Receiver<State>,
    /// Since which order it stands.
    made: u64,
    struck: Arc<AtomicU64>,
    /// The last order by which it was struck.
    counted: AtomicU64,
}

impl Passage {
    async fn connect(&self, client: TcpStream, targets: &Targets) {
        if self.line.borrow().line == Line::Cut {
            return;
        }
        let Some(server) = targets.connect().await else { return };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let mut cut = self.line.clone();
        tokio::select! {
            () = self.carry(from_client, to_server) => {}
            () = self.carry(from_server, to_client) => {}
            Ok(state) = cut.wait_for(|state| state.line == Line::Cut) => self.strike(*state),
        }
    }

    /// Carries bytes one way until either side closes.
    async fn carry(&self, mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin) {
        let (mut piece, mut line) = (vec![0; 16 << 10], self.line.clone());
        loop {
            let read = from.read(&mut piece).await.unwrap_or(0);
            let seen = *line.borrow();
            if self.made < seen.lost_before {
                self.strike(seen);
                return tokio::time::sleep(BURIED_AFTER).await;
            }
            if read == 0 {
                return;
            }
            if seen.line != Line::Open {
                self.strike(seen);
            }
            let passes = |state: &State| state.line != Line::Silent && self.made >= state.lost_before;
            let Ok(now) = line.wait_for(passes).await.map(|state| state.line) else { return };
            if let Line::Slow(delay) = now {
                tokio::time::sleep(delay).await;
            }
            if to.write_all(&piece[..read]).await.is_err() {
                return;
            }
        }
    }

    fn strike(&self, by: State) {
        if self.counted.swap(by.order, Ordering::Relaxed) != by.order {
            self.struck.fetch_add(1, Ordering::Relaxed);
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
    assert_eq!(proxy.struck(), 2, "held up once, and cut once: what was slow found nothing to slow down");

    proxy.set(Line::Open);
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    let (mut server, _) = echo.accept().await.unwrap();
    proxy.lose();
    client.write_all(b"c").await.unwrap();
    assert!(tokio::time::timeout(soon, server.read_exact(&mut byte)).await.is_err(), "it hears nothing any more");
    let mut another = TcpStream::connect(proxy.address()).await.unwrap();
    let (mut server, _) = echo.accept().await.unwrap();
    another.write_all(b"d").await.unwrap();
    server.read_exact(&mut byte).await.unwrap();
    assert_eq!(&byte, b"d", "a new connection is as good as ever");
}
