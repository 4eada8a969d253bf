//! A TCP proxy in front of PostgreSQL, Redis or a gateway. On demand it delays data, closes connections, or keeps them
//! open and passes nothing, as if the machine had lost its power.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use songda::lifecycle::Tasks;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The behaviour of the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Everything passes.
    Open,
    /// Everything passes, each piece after this delay.
    Slow(Duration),
    /// Connections stay open, and new ones are accepted, but nothing passes.
    Silent,
    /// Connections are closed, and new ones as soon as they are opened.
    Cut,
}

/// A proxy in front of one server or of several equal servers. It ends when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    state: watch::Sender<State>,
    struck: Arc<AtomicU64>,
    tasks: Tasks,
}

/// The behaviour of the proxy, and the number of the order that set it. Each call of [`Proxy::set`] or [`Proxy::lose`]
/// is an order.
#[derive(Debug, Clone, Copy)]
struct State {
    link: Link,
    order: u64,
    /// Connections that were opened before the order with this number stay silent for good, as if the other machine
    /// were gone.
    lost_before: u64,
}

impl Proxy {
    /// Starts a proxy on a free port.
    pub async fn before(target: SocketAddr) -> Self {
        Self::among(vec![target]).await
    }

    /// Starts a proxy on a free port. It connects each client to the next server in turn that accepts the connection.
    pub async fn among(targets: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, seen) = watch::channel(State { link: Link::Open, order: 1, lost_before: 0 });
        let tasks = Tasks::new();
        let struck = Arc::new(AtomicU64::new(0));
        let targets = Targets { addresses: targets.into(), next: AtomicUsize::new(0) };
        tasks.spawn(listen(listener, Arc::new(targets), seen, Arc::clone(&struck), tasks.clone()));
        Self { address, state, struck, tasks }
    }

    /// Returns the address on which the proxy listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the behaviour of the proxy, for open connections as well.
    pub fn set(&self, link: Link) {
        self.state.send_modify(|state| *state = State { link, order: state.order + 1, ..*state });
    }

    /// Silences the open connections for good, without closing them. New ones work.
    pub fn lose(&self) {
        self.state.send_modify(|state| {
            *state = State { link: Link::Open, order: state.order + 1, lost_before: state.order + 1 };
        });
    }

    /// Returns how many connections were cut, lost, held up or slowed down while in use. A connection counts once for
    /// each call of [`Self::set`] or [`Self::lose`] that affects it.
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
    state: watch::Receiver<State>,
    struck: Arc<AtomicU64>,
    tasks: Tasks,
) {
    let stop = tasks.stopping();
    while let Some(Ok((client, _))) = stop.run_until_cancelled(listener.accept()).await {
        let stop = stop.clone();
        let targets = Arc::clone(&targets);
        let opened = state.borrow().order;
        let passage = Passage { state: state.clone(), opened, struck: Arc::clone(&struck), counted: AtomicU64::new(0) };
        tasks.spawn(async move {
            stop.run_until_cancelled(passage.connect(client, &targets)).await;
        });
    }
}

/// How long a lost connection stays open after one end sends on it or closes it. Then the proxy closes the connection
/// at both ends, as a network does that gives the connection up.
const CLOSED_AFTER: Duration = Duration::from_secs(300);

/// One connection through the proxy.
struct Passage {
    state: watch::Receiver<State>,
    /// The number of the last order (change of the proxy's behaviour) before the connection was opened.
    opened: u64,
    struck: Arc<AtomicU64>,
    /// The number of the last order that affected the connection.
    counted: AtomicU64,
}

impl Passage {
    async fn connect(&self, client: TcpStream, targets: &Targets) {
        if self.state.borrow().link == Link::Cut {
            return;
        }
        let Some(server) = targets.connect().await else { return };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let mut cut = self.state.clone();
        tokio::select! {
            () = self.carry(from_client, to_server) => {}
            () = self.carry(from_server, to_client) => {}
            Ok(state) = cut.wait_for(|state| state.link == Link::Cut) => self.strike(*state),
        }
    }

    /// Carries bytes one way until either side closes.
    async fn carry(&self, mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin) {
        let mut piece = vec![0; 16 << 10];
        let mut state = self.state.clone();
        loop {
            let read = from.read(&mut piece).await.unwrap_or(0);
            let seen = *state.borrow();
            if self.opened < seen.lost_before {
                self.strike(seen);
                return tokio::time::sleep(CLOSED_AFTER).await;
            }
            if read == 0 {
                return;
            }
            if seen.link != Link::Open {
                self.strike(seen);
            }
            let passes = |state: &State| state.link != Link::Silent && self.opened >= state.lost_before;
            let Ok(now) = state.wait_for(passes).await.map(|state| state.link) else { return };
            if let Link::Slow(delay) = now {
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
async fn the_proxy_passes_delays_silences_cuts_and_loses_connections() {
    let echo = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let proxy = Proxy::before(echo.local_addr().unwrap()).await;
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    let (mut server, _) = echo.accept().await.unwrap();
    let mut byte = [0];

    client.write_all(b"a").await.unwrap();
    assert_eq!(server.read_exact(&mut byte).await.unwrap(), 1, "data passes");

    proxy.set(Link::Silent);
    client.write_all(b"b").await.unwrap();
    let soon = Duration::from_millis(50);
    assert!(tokio::time::timeout(soon, server.read_exact(&mut byte)).await.is_err(), "the proxy is silent");

    proxy.set(Link::Slow(Duration::from_millis(1)));
    server.read_exact(&mut byte).await.unwrap();
    assert_eq!(&byte, b"b", "nothing is lost in the silence");

    proxy.set(Link::Cut);
    assert_eq!(client.read(&mut byte).await.unwrap_or(0), 0, "the connection is closed");
    assert_eq!(proxy.struck(), 2, "held up once and cut once; there was no data to slow down");

    proxy.set(Link::Open);
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    let (mut server, _) = echo.accept().await.unwrap();
    proxy.lose();
    client.write_all(b"c").await.unwrap();
    assert!(tokio::time::timeout(soon, server.read_exact(&mut byte)).await.is_err(), "the lost connection is silent");
    let mut another = TcpStream::connect(proxy.address()).await.unwrap();
    let (mut server, _) = echo.accept().await.unwrap();
    another.write_all(b"d").await.unwrap();
    server.read_exact(&mut byte).await.unwrap();
    assert_eq!(&byte, b"d", "a new connection works");
}
