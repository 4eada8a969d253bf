//! A gateway on the loopback address for the adapters' tests: it answers as the test says, hangs up where the test
//! says so, and remembers what it was asked.
#![expect(clippy::disallowed_methods, reason = "a test's server ends with the test")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::gateway::shared::http::HttpSettings;

/// One call, as it arrived.
#[derive(Debug, Clone)]
pub struct Call {
    pub path: String,
    /// The query, decoded.
    pub query: HashMap<String, String>,
    /// Headers, with names in lower case.
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Call {
    /// The body's form fields.
    pub fn form(&self) -> HashMap<String, String> {
        form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What to answer.
#[derive(Clone)]
pub enum Reply {
    /// A status and a body.
    Says(u16, String),
    /// Nothing, and the connection is closed.
    HangsUp,
    /// Nothing, ever.
    Silent,
}

/// The answer of most gateways to most things: HTTP 200 and JSON.
pub fn json(value: &serde_json::Value) -> Reply {
    Reply::Says(200, value.to_string())
}

pub struct Loopback {
    /// How to reach it.
    pub settings: HttpSettings,
    calls: Arc<Mutex<Vec<Call>>>,
    server: JoinHandle<()>,
}

impl Loopback {
    pub async fn start(reply: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let settings = settings(listener.local_addr().unwrap().port());
        let calls = Arc::new(Mutex::new(Vec::new()));
        let (reply, memory) = (Arc::new(reply), Arc::clone(&calls));
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (reply, memory) = (Arc::clone(&reply), Arc::clone(&memory));
                tokio::spawn(async move {
                    serve(stream, &*reply, &memory).await;
                });
            }
        });
        Self { settings, calls, server }
    }

    /// All calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// How many calls a path got.
    pub fn count(&self, path: &str) -> usize {
        self.calls().iter().filter(|call| call.path == path).count()
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The settings of a gateway that nobody runs.
pub async fn nobody() -> HttpSettings {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    settings(listener.local_addr().unwrap().port())
}

fn settings(port: u16) -> HttpSettings {
    let base_url = Url::parse(&format!("http://127.0.0.1:{port}/")).unwrap();
    HttpSettings {
        gateway: "loopback".into(),
        base_url,
        connect_timeout: Duration::from_secs(3),
        timeout: Duration::from_secs(10),
    }
}

async fn serve(mut stream: TcpStream, reply: &(impl Fn(&Call) -> Reply + ?Sized), memory: &Mutex<Vec<Call>>) {
    let Some(call) = read(&mut stream).await else { return };
    memory.lock().unwrap().push(call.clone());
    match reply(&call) {
        Reply::Says(status, body) => {
            let length = body.len();
            let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        }
        Reply::HangsUp => {}
        Reply::Silent => std::future::pending().await,
    }
}

async fn read(stream: &mut TcpStream) -> Option<Call> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        (stream.read_buf(&mut bytes).await.ok()? > 0).then_some(())?;
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).ok()?;
    let mut lines = head.lines();
    let url = Url::parse("http://loopback").ok()?.join(lines.next()?.split(' ').nth(1)?).ok()?;
    let headers: HashMap<_, _> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(Some(0), |length| length.parse().ok())?;
    while bytes.len() < head_end + 4 + length {
        (stream.read_buf(&mut bytes).await.ok()? > 0).then_some(())?;
    }
    let body = String::from_utf8(bytes[head_end + 4..].to_vec()).ok()?;
    Some(Call { path: url.path().to_owned(), query: url.query_pairs().into_owned().collect(), headers, body })
}
