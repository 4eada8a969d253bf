//! For the tests of the twins: a sandbox with one twin, an HTTP caller, and a server that receives callbacks in
//! Songda's place.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use poem::endpoint::make;
use poem::http::HeaderMap;
use poem::http::header::CONTENT_TYPE;
use poem::listener::TcpAcceptor;
use poem::{Response, Server};
use reqwest::Method;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::DropGuard;

use super::call::TwinCall;
use super::server::Running;
use super::settings::SandboxSettings;
use super::shards::lock;
use super::state::Sandbox;
use super::twin::TwinMaker;
use crate::env::Env;
use crate::gateway::shared::http::{Http, HttpSettings};
use crate::lifecycle::Tasks;

/// Starts a sandbox with one twin (simulated gateway). `given` are the twin's settings. The twin sends its callbacks to
/// the server `callbacks`, or drops them without one.
pub(crate) async fn running(twin: TwinMaker, given: &[(&str, &str)], callbacks: Option<&CallbackServer>) -> Running {
    let mut settings = SandboxSettings::for_tests(&[]);
    settings.twins = vec![twin(&mut Env::of(given.iter().copied())).unwrap()];
    settings.world.callback_url = callbacks.map(|server| server.url.parse().unwrap());
    Sandbox::start(settings).await.unwrap()
}

/// An HTTP client for one base URL.
pub(crate) struct TestClient(Http);

impl TestClient {
    pub(crate) fn new(url: &str) -> Self {
        let settings = HttpSettings::new("sandbox", url.parse().unwrap(), Duration::from_secs(20));
        Self(Http::new(&settings).unwrap())
    }

    pub(crate) fn host(&self) -> String {
        self.0.host()
    }

    /// Returns the status and the answer's JSON. The status is 0 if no answer came; the JSON is null if the body is not
    /// JSON.
    pub(crate) async fn send(&self, method: &str, path: &str, headers: HeaderMap, body: Bytes) -> (u16, Value) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let request = self.0.request(method.parse::<Method>().unwrap(), path).query(&query);
        match self.0.send(request.headers(headers).body(body)).await {
            Ok(answer) => (answer.status.as_u16(), serde_json::from_slice(&answer.body).unwrap_or_default()),
            Err(_) => (0, Value::Null),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.send("GET", path, HeaderMap::new(), Bytes::new()).await.1
    }

    pub(crate) async fn json(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, "application/json".parse().unwrap())]);
        self.send(method, path, headers, body.to_string().into()).await
    }

    pub(crate) async fn form(&self, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let form = "application/x-www-form-urlencoded;charset=UTF-8".parse().unwrap();
        self.send("POST", path, HeaderMap::from_iter([(CONTENT_TYPE, form)]), body.into()).await
    }
}

/// Receives callbacks in Songda's place and gives prepared answers.
pub(crate) struct CallbackServer {
    pub(crate) url: String,
    heard: mpsc::UnboundedReceiver<TwinCall>,
    #[expect(dead_code, reason = "stops the server when it is dropped")]
    stop: DropGuard,
}

impl CallbackServer {
    /// Starts a server. It answers the first call with the text that the first function returns, the second call with
    /// the text of the second function, and so on. The last function also answers all further calls.
    pub(crate) async fn answering(answers: Vec<fn(&TwinCall) -> String>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (tell, heard) = mpsc::unbounded_channel();
        let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
        let endpoint = make(move |request| {
            let tell = tell.clone();
            let answers = Arc::clone(&answers);
            async move {
                let call = TwinCall::read(request).await?;
                let mut answers = lock(&answers);
                let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().copied() };
                let answer = answer.map_or_else(String::new, |answer| answer(&call));
                let _ = tell.send(call);
                Ok::<_, poem::Error>(Response::builder().body(answer))
            }
        });
        let tasks = Tasks::new();
        let stopping = tasks.stopping();
        let stop = stopping.clone().drop_guard();
        tasks.spawn(async move {
            let server = Server::new_with_acceptor(TcpAcceptor::from_tokio(listener).unwrap());
            tokio::select! { _ = server.run(endpoint) => {}, () = stopping.cancelled() => {} }
        });
        Self { url, heard, stop }
    }

    /// Waits for the next callback.
    pub(crate) async fn next(&mut self) -> TwinCall {
        tokio::time::timeout(Duration::from_secs(20), self.heard.recv()).await.expect("a callback").unwrap()
    }

    /// True if no further callback has arrived.
    pub(crate) fn is_silent(&mut self) -> bool {
        self.heard.try_recv().is_err()
    }
}
