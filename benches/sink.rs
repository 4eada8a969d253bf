//! The gateway of all measurements: a thread that answers `SendSms` as Alibaba Cloud does, at once or after a fixed
//! time, and remembers which phone was written to when. It verifies nothing, so that it is never what is measured; the
//! sandbox verifies.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use songda::domain::kernel::clock::Stopwatch;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::Measured;
use crate::wire::{self, Connection};

/// The shortest form in which the service says that it took a message.
const TAKEN: &str = r#"{"Code":"OK","BizId":"1^0","RequestId":"R"}"#;
const PHONE: &[u8] = b"PhoneNumbers=";

/// A request that reached the gateway.
#[derive(Clone, Copy)]
pub struct Arrival {
    /// The phone that was written to.
    pub phone: u64,
    /// When, since the sink was started.
    pub at: Duration,
}

/// The gateway, seen from the measurement.
pub struct Sink {
    /// Where it listens.
    pub address: SocketAddr,
    memory: Arc<Memory>,
}

struct Memory {
    watch: Stopwatch,
    delay_ms: AtomicU64,
    arrivals: Mutex<Vec<Arrival>>,
}

impl Sink {
    /// Starts it in a thread of its own, which lives as long as the program.
    pub fn start() -> Measured<Self> {
        let watch = Stopwatch::start();
        let memory = Arc::new(Memory { watch, delay_ms: AtomicU64::new(0), arrivals: Mutex::default() });
        let (tell, told) = mpsc::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared = Arc::clone(&memory);
        thread::Builder::new().name("sink".to_owned()).spawn(move || {
            runtime.block_on(async {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
                let _ = tell.send(listener.local_addr()?);
                listen(&listener, &shared).await
            })
        })?;
        Ok(Self { address: told.recv()?, memory })
    }

    /// Forgets what came, and answers after this long from now on.
    pub fn reset(&self, delay: Duration) {
        self.memory.delay_ms.store(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.memory.arrivals().clear();
    }

    /// How long it has been running: the time of an arrival at this moment.
    pub fn now(&self) -> Duration {
        self.memory.watch.elapsed()
    }

    /// How many requests came since the last reset.
    pub fn count(&self) -> usize {
        self.memory.arrivals().len()
    }

    /// What came since the last reset.
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.memory.arrivals().clone()
    }

    /// Waits until so many requests came; fails when they do not come, or when a phone was written to twice.
    pub async fn received(&self, count: usize, patience: Duration) -> Measured<Vec<Arrival>> {
        let arrivals = self.reached(count, patience).await?;
        match arrivals.len() - count {
            0 => Ok(arrivals),
            beyond => Err(format!("{beyond} requests to phones that had one, for {count} jobs").into()),
        }
    }

    /// Waits until requests came for so many phones, for some perhaps more than one.
    pub async fn reached(&self, count: usize, patience: Duration) -> Measured<Vec<Arrival>> {
        const LOOK_EVERY: Duration = Duration::from_millis(10);
        let watch = Stopwatch::start();
        while self.count() < count || phones(&self.arrivals()) < count {
            if watch.elapsed() > patience {
                return Err(format!("only {} of {count} reached the gateway in {patience:?}", self.count()).into());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(self.arrivals())
    }
}

/// To how many phones these requests go.
fn phones(arrivals: &[Arrival]) -> usize {
    arrivals.iter().map(|arrival| arrival.phone).collect::<HashSet<u64>>().len()
}

impl Memory {
    fn arrivals(&self) -> std::sync::MutexGuard<'_, Vec<Arrival>> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, body: &[u8]) {
        let at = self.watch.elapsed();
        let phone =
            body.windows(PHONE.len()).position(|bytes| bytes == PHONE).map(|start| &body[start + PHONE.len()..]);
        let digits = phone.unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit());
        let phone = digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
        self.arrivals().push(Arrival { phone, at });
    }
}

async fn listen(listener: &TcpListener, memory: &Arc<Memory>) -> std::io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        connections.spawn(serve(Connection::of(stream)?, Arc::clone(memory)));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(mut connection: Connection, memory: Arc<Memory>) -> std::io::Result<()> {
    let answer = wire::answer("200 OK", TAKEN);
    while let Some(message) = connection.receive().await? {
        memory.remember(message.body);
        match memory.delay_ms.load(Ordering::Relaxed) {
            0 => {}
            delay => tokio::time::sleep(Duration::from_millis(delay)).await,
        }
        connection.send(&answer).await?;
    }
    Ok(())
}
