//! A thread that plays the gateways of all measurements except `history`: SMS, WeChat's sign-in and the real-name
//! check. It answers in the gateways' form, at once or after a fixed time, and records when each phone got a message.
//! It takes little processor time, because it does not check the calls. (The sandbox, which the tests use, checks
//! them.)

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::Measured;
use crate::library::Stopwatch;
use crate::wire::{self, Connection, Message};

/// Alibaba Cloud's shortest answer to `SendSms` that accepts a message.
const ACCEPTED: &str = r#"{"Code":"OK","BizId":"1^0","RequestId":"R"}"#;
/// Alibaba Cloud's answer to `Id2MetaVerify` if name and number match.
const MATCHES: &str = r#"{"Code":"200","RequestId":"R","ResultObject":{"BizCode":"1"}}"#;
const PHONE: &[u8] = b"PhoneNumbers=";
const SIGN_IN: &str = "/wechat/sns/jscode2session";
const REAL_NAME: &str = "/identity";

/// A message that reached the gateway.
#[derive(Clone, Copy)]
pub struct Arrival {
    pub phone: u64,
    /// The time since the sink was started.
    pub at: Duration,
}

/// A stand-in for all gateways. It records the messages that it receives.
pub struct Sink {
    pub address: SocketAddr,
    memory: Arc<Memory>,
}

struct Memory {
    watch: Stopwatch,
    delay_ms: AtomicU64,
    arrivals: Mutex<Vec<Arrival>>,
}

impl Sink {
    /// Starts the sink in a separate thread, called `name`. The thread lives as long as the program.
    pub fn start(name: &str) -> Measured<Self> {
        let watch = Stopwatch::start();
        let memory = Arc::new(Memory { watch, delay_ms: AtomicU64::new(0), arrivals: Mutex::default() });
        let (started, address) = mpsc::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared = Arc::clone(&memory);
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            runtime.block_on(async {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
                let _ = started.send(listener.local_addr()?);
                listen(&listener, &shared).await
            })
        })?;
        Ok(Self { address: address.recv()?, memory })
    }

    /// Forgets all arrivals, and answers messages after `delay` from now on.
    pub fn reset(&self, delay: Duration) {
        self.memory.delay_ms.store(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.memory.arrivals().clear();
    }

    /// Returns the time that an arrival at this moment would get.
    pub fn now(&self) -> Duration {
        self.memory.watch.elapsed()
    }

    /// Returns the number of messages since the last reset.
    pub fn count(&self) -> usize {
        self.memory.arrivals().len()
    }

    /// Returns the messages since the last reset.
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.memory.arrivals().clone()
    }

    /// Waits for `count` messages. Fails if they do not come, or if a phone got two.
    pub async fn received(&self, count: usize, timeout: Duration) -> Measured<Vec<Arrival>> {
        let arrivals = self.reached(count, timeout).await?;
        match arrivals.len() - count {
            0 => Ok(arrivals),
            repeated => Err(format!("{repeated} messages to phones that had one already, for {count} jobs").into()),
        }
    }

    /// Waits until `count` phones got a message. Some phones have possibly got more than one.
    pub async fn reached(&self, count: usize, timeout: Duration) -> Measured<Vec<Arrival>> {
        const POLL_EVERY: Duration = Duration::from_millis(10);
        let watch = Stopwatch::start();
        while self.count() < count || phones(&self.arrivals()) < count {
            if watch.elapsed() > timeout {
                return Err(format!("only {} of {count} reached the gateway in {timeout:?}", self.count()).into());
            }
            tokio::time::sleep(POLL_EVERY).await;
        }
        Ok(self.arrivals())
    }
}

/// Returns the number of different phones.
fn phones(arrivals: &[Arrival]) -> usize {
    arrivals.iter().map(|arrival| arrival.phone).collect::<HashSet<u64>>().len()
}

impl Memory {
    fn arrivals(&self) -> std::sync::MutexGuard<'_, Vec<Arrival>> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, body: &[u8]) {
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
    let accepted = wire::answer("200 OK", ACCEPTED);
    while let Some(message) = connection.receive().await? {
        if let Some(answer) = sign_in_or_real_name(&message) {
            connection.send(&answer).await?;
            continue;
        }
        memory.record(message.body);
        match memory.delay_ms.load(Ordering::Relaxed) {
            0 => {}
            delay => tokio::time::sleep(Duration::from_millis(delay)).await,
        }
        connection.send(&accepted).await?;
    }
    Ok(())
}

/// Answers a sign-in or a real-name check; `None` for any other call. Each code of `wx.login` belongs to a different
/// person, and every name matches the resident ID.
fn sign_in_or_real_name(message: &Message<'_>) -> Option<Vec<u8>> {
    let path = message.path()?;
    if path.starts_with(REAL_NAME) {
        return Some(wire::answer("200 OK", MATCHES));
    }
    let query = path.strip_prefix(SIGN_IN)?;
    let code = query.split(['?', '&']).find_map(|parameter| parameter.strip_prefix("js_code="))?;
    Some(wire::answer("200 OK", &format!(r#"{{"openid":"{code}","session_key":"bench"}}"#)))
}
