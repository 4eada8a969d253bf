//! A fake gateway on the loopback address, for the adapters' tests. The test defines how the gateway answers. The
//! gateway can also close the connection or stay silent, and it records all calls.
#![expect(clippy::disallowed_methods, reason = "a test's server ends with the test")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::gateway::shared::http::HttpSettings;

#[derive(Debug, Clone)]
pub struct ReceivedCall {
    pub path: String,
    pub query: HashMap<String, String>,
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl ReceivedCall {
    pub fn form(&self) -> HashMap<String, String> {
        form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Clone)]
pub enum LoopbackReply {
    Says(u16, String),
    /// The connection is closed without an answer.
    HangsUp,
    /// The connection stays open without an answer.
    Silent,
}

pub fn json(value: &serde_json::Value) -> LoopbackReply {
    LoopbackReply::Says(200, value.to_string())
}

pub struct Loopback {
    /// The settings with which an HTTP client calls this gateway.
    pub settings: HttpSettings,
    calls: Arc<Mutex<Vec<ReceivedCall>>>,
    server: JoinHandle<()>,
}

impl Loopback {
    pub async fn start(reply: impl Fn(&ReceivedCall) -> LoopbackReply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let settings = settings(listener.local_addr().unwrap().port());
        let calls = Arc::new(Mutex::new(Vec::new()));
        let reply = Arc::new(reply);
        let memory = Arc::clone(&calls);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let reply = Arc::clone(&reply);
                let memory = Arc::clone(&memory);
                tokio::spawn(async move { serve(stream, &*reply, &memory).await });
            }
        });
        Self { settings, calls, server }
    }

    /// Starts a gateway that gives the same reply to every call.
    pub async fn always(reply: LoopbackReply) -> Self {
        Self::start(move |_| reply.clone()).await
    }

    /// Starts a gateway that answers every call with HTTP 200 and this JSON.
    pub async fn answering(answer: serde_json::Value) -> Self {
        Self::always(json(&answer)).await
    }

    pub fn calls(&self) -> Vec<ReceivedCall> {
        self.calls.lock().unwrap().clone()
    }

    pub fn count(&self, path: &str) -> usize {
        self.calls().iter().filter(|call| call.path == path).count()
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Settings for an address where no server listens.
pub async fn unreachable() -> HttpSettings {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    settings(listener.local_addr().unwrap().port())
}

fn settings(port: u16) -> HttpSettings {
    let base_url = Url::parse(&format!("http://127.0.0.1:{port}/")).unwrap();
    HttpSettings::new("loopback", base_url, Duration::from_secs(10))
}

async fn serve(
    mut stream: TcpStream,
    reply: &(impl Fn(&ReceivedCall) -> LoopbackReply + ?Sized),
    memory: &Mutex<Vec<ReceivedCall>>,
) {
    let Some(call) = read(&mut stream).await else { return };
    memory.lock().unwrap().push(call.clone());
    match reply(&call) {
        LoopbackReply::Says(status, body) => {
            let length = body.len();
            let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        }
        LoopbackReply::HangsUp => {}
        LoopbackReply::Silent => std::future::pending().await,
    }
}

async fn read(stream: &mut TcpStream) -> Option<ReceivedCall> {
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
    Some(ReceivedCall { path: url.path().to_owned(), query: url.query_pairs().into_owned().collect(), headers, body })
}
