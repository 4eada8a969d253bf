//! A carrier of our own making for tests: a server on this machine that answers as it is told and remembers what
//! it was sent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures_util::stream;
use poem::http::StatusCode;
use poem::listener::TcpAcceptor;
use poem::{Body, Endpoint, IntoResponse, Request, Response, Server};
use tokio::task::JoinHandle;

use crate::domain::address::PostalAddress;
use crate::domain::parcel::{OrderNo, ParcelOrder};
use crate::domain::private::Private;

/// How the server answers.
#[derive(Clone)]
pub(super) enum Reply {
    /// With this text.
    Text(String),
    /// With this status and this page.
    Page(StatusCode, &'static str),
    /// With this file.
    File(Vec<u8>),
    /// With an answer that breaks off: all was done, but nobody hears of it.
    BreakOff,
}

/// What the server was sent: path, headers that matter, form fields.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) path: String,
    pub(super) token: String,
    pub(super) form: BTreeMap<String, String>,
}

type Answer = dyn Fn(&Heard) -> Reply + Send + Sync;

/// The server. It stops when this is dropped.
pub(super) struct Loopback {
    pub(super) url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
    server: JoinHandle<()>,
}

impl Loopback {
    /// Starts one that answers each call so. The closure is given the server's own address first.
    #[expect(clippy::disallowed_methods, reason = "a test's server lives as long as the test")]
    pub(super) fn start(answer: impl Fn(&str, &Heard) -> Reply + Send + Sync + 'static) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let own = url.clone();
        let endpoint = Carrier { answer: Arc::new(move |heard: &Heard| answer(&own, heard)), heard: heard.clone() };
        let acceptor = TcpAcceptor::from_std(listener).unwrap();
        let server = tokio::spawn(async move {
            let _ = Server::new_with_acceptor(acceptor).run(endpoint).await;
        });
        Self { url, heard, server }
    }

    /// All calls so far.
    pub(super) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct Carrier {
    answer: Arc<Answer>,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Endpoint for Carrier {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let path = request.uri().path().to_owned();
        let token = request.header("x-auth-token").unwrap_or_default().to_owned();
        let body = request.take_body().into_vec().await?;
        let form = form_urlencoded::parse(&body).into_owned().collect();
        let heard = Heard { path, token, form };
        let reply = (self.answer)(&heard);
        self.heard.lock().unwrap().push(heard);
        Ok(match reply {
            Reply::Text(text) => text.into_response(),
            Reply::Page(status, page) => page.with_status(status).with_content_type("text/html").into_response(),
            Reply::File(bytes) => bytes.into_response(),
            Reply::BreakOff => {
                let broken = stream::once(async { Err::<Vec<u8>, _>(std::io::Error::other("gone")) });
                Response::builder().body(Body::from_bytes_stream(broken))
            }
        })
    }
}

/// An address that nobody answers at: its port was free a moment ago.
pub(super) fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// An order from an office with a landline to a person with a mobile phone.
pub(super) fn order(order_no: &str) -> ParcelOrder {
    let address = |name: &str, phone: &str, detail: &str| PostalAddress {
        name: Private::new(name.to_owned()),
        phone: Private::new(phone.to_owned()),
        region: "320102".to_owned(),
        province: "江苏省".to_owned(),
        city: "南京市".to_owned(),
        county: "玄武区".to_owned(),
        detail: Private::new(detail.to_owned()),
        postcode: None,
    };
    ParcelOrder {
        order_no: OrderNo::from_stored(order_no.to_owned()),
        sender: address("某区政务服务中心", "025-84000000", "示例路1号"),
        recipient: address("张三", "13800000002", "示例街2号3幢401"),
        created_at: "2025-01-02T01:00:00Z".parse().unwrap(),
    }
}
