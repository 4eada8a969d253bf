//! For the tests of the twins: a plain caller, and an ear that hears what the sandbox calls back.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use poem::endpoint::make;
use poem::http::HeaderMap;
use poem::listener::TcpAcceptor;
use poem::{Response, Server};
use reqwest::Method;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::DropGuard;

use super::call::Call;
use super::shards::lock;
use crate::gateway::shared::http::{Http, HttpSettings};
use crate::lifecycle::Tasks;

/// A caller of one base URL.
pub(crate) struct Client(Http);

impl Client {
    pub(crate) fn new(url: &str) -> Self {
        let (base_url, timeout) = (url.parse().unwrap(), Duration::from_secs(20));
        Self(
            Http::new(&HttpSettings { gateway: "sandbox".into(), base_url, connect_timeout: timeout, timeout })
                .unwrap(),
        )
    }

    pub(crate) fn host(&self) -> String {
        self.0.host()
    }

    /// The status and the answer's JSON: null where the body is none, status 0 where no answer came.
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
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/json".parse().unwrap());
        self.send(method, path, headers, body.to_string().into()).await
    }

    pub(crate) async fn form(&self, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/x-www-form-urlencoded;charset=UTF-8".parse().unwrap());
        self.send("POST", path, headers, body.into()).await
    }
}

/// Stands where Songda would: hears callbacks, and answers what it was told to.
pub(crate) struct Ear {
    url: String,
    heard: mpsc::UnboundedReceiver<Call>,
    #[expect(dead_code, reason = "stops the server when it is dropped")]
    stop: DropGuard,
}

impl Ear {
    /// Answers with these bodies in turn, and with the last of them from then on; each is made of the call's body.
    pub(crate) async fn answering(answers: Vec<fn(&Call) -> String>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (tell, heard) = mpsc::unbounded_channel();
        let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
        let ear = make(move |request| {
            let (tell, answers) = (tell.clone(), Arc::clone(&answers));
            async move {
                let call = Call::read(request).await?;
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
            tokio::select! { _ = server.run(ear) => {}, () = stopping.cancelled() => {} }
        });
        Self { url, heard, stop }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The next callback; waits for it.
    pub(crate) async fn next(&mut self) -> Call {
        tokio::time::timeout(Duration::from_secs(20), self.heard.recv()).await.expect("a callback").unwrap()
    }

    /// Whether none came that was not heard yet.
    pub(crate) fn is_silent(&mut self) -> bool {
        self.heard.try_recv().is_err()
    }
}
