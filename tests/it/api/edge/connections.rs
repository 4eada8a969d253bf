//! Connections of strangers: requests that never become complete, and more connections than one address may have.

use std::net::SocketAddr;
use std::time::Duration;

use poem::EndpointExt;
use serde_json::json;
use songda::api::edge::connections::limits::ConnectionLimits;
use songda::api::edge::connections::server::HttpServer;
use songda::lifecycle::Tasks;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::{edge, sample};
use crate::support::desk::Desk;
use crate::support::edge::{now, token, tokens};
use crate::support::process::Watched;
use crate::support::settings::UNLIMITED;
use crate::support::wait::{TIMEOUT, wait_until};

/// How long a connection may wait for a complete request.
const SHORT: (&str, &str) = ("SONGDA_KEEP_ALIVE", "300ms");
/// How often a slow client sends another byte: far more often than a connection has to be silent to be closed.
const DRIP: Duration = Duration::from_millis(20);

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// An empty SETTINGS frame (RFC 9113 §6.5).
const SETTINGS: &[u8] = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00";
/// A PING frame (RFC 9113 §6.7).
const PING: &[u8] = b"\x00\x00\x08\x06\x00\x00\x00\x00\x00songda!!";

async fn address(server: &Watched) -> SocketAddr {
    server.api().await.base().socket_addrs(|| None).unwrap()[0]
}

/// Sends `begin`, and then `drop` again and again until the server ends the connection. Returns what the server sent.
async fn drip(server: SocketAddr, begin: &[u8], drop: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server).await.unwrap();
    stream.write_all(begin).await.unwrap();
    let (mut from, mut to) = stream.split();
    let mut answer = Vec::new();
    let drops = async {
        let mut pace = tokio::time::interval(DRIP);
        while to.write_all(drop).await.is_ok() {
            pace.tick().await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = drops => unreachable!(),
        end = tokio::time::timeout(TIMEOUT, from.read_to_end(&mut answer)) => assert!(end.is_ok(), "it is still open"),
    }
    answer
}

/// Opens a connection from an address of this machine.
async fn connect_from(source: &str, server: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(source.parse().unwrap(), 0)).unwrap();
    socket.connect(server).await.unwrap()
}

/// True if the server answers a request on this connection, which stays open; false if it closed the connection.
async fn is_served(stream: &mut TcpStream) -> bool {
    const BODY: &[u8] = br#"{"status":"ok"}"#;
    let mut answer = Vec::new();
    let mut open = stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: songda\r\n\r\n").await.is_ok();
    while open && !answer.ends_with(BODY) {
        let read = tokio::time::timeout(TIMEOUT, stream.read_buf(&mut answer)).await.expect("an answer, or an end");
        open = read.is_ok_and(|length| length > 0);
    }
    answer.starts_with(b"HTTP/1.1 200")
}

#[tokio::test]
async fn a_connection_without_a_complete_request_is_closed_however_often_it_sends() {
    let desk = Desk::builder().without_worker().open().await;
    let server = desk.watched("serve", &[SHORT]).await;
    let server = (address(&server).await, server);
    let answer = drip(server.0, b"GET /healthz HTTP/1.1\r\nhost: songda\r\nx-slow: ", b"a").await;
    assert!(answer.is_empty(), "{}", answer.escape_ascii());
    let once = drip(server.0, b"GET /healthz HTTP/1.1\r\nhost: songda\r\n\r\nGET /healthz HTTP/1.1\r\nx-slow: ", b"a");
    let once = String::from_utf8(once.await).unwrap();
    assert_eq!(once.matches("HTTP/1.1 200").count(), 1, "the slow request after an answer: {once}");
    drip(server.0, &[PREFACE, SETTINGS].concat(), PING).await;
    desk.close().await;
}

#[tokio::test]
async fn a_body_that_never_becomes_complete_is_cut_off() {
    let tokens = tokens();
    let mut edge = edge(&tokens, &UNLIMITED);
    edge.answer_within = Duration::from_millis(300);
    let limits = ConnectionLimits::INNER;
    let server = HttpServer { endpoint: sample::endpoint_at(edge).boxed(), limits, grace: Duration::ZERO };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let tasks = Tasks::new();
    tasks.spawn(server.run(listener, tasks.stopping()));
    let head = format!(
        "POST /v1/notes HTTP/1.1\r\nhost: songda\r\nauthorization: Bearer {}\r\nidempotency-key: k\r\n\
         content-type: application/json\r\ncontent-length: 100000\r\n\r\n",
        token(&tokens, "person", now())
    );
    let answer = String::from_utf8(drip(address, head.as_bytes(), b" ").await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains(r#""code":"unavailable""#), "{answer}");
    assert!(tasks.stop(TIMEOUT).await);
}

#[tokio::test]
async fn a_request_that_takes_longer_than_a_connection_may_wait_is_answered() {
    let desk = Desk::builder().without_worker().open().await;
    let server = desk.watched("serve", &[SHORT]).await;
    let signed_in = server.api().await.post("/v1/sessions/wechat").json(&json!({"code": "wx-slow"}));
    let resident = server.api().await.with_token(signed_in.success().await.unwrap().text("/access_token").unwrap());
    let cursor = resident.get("/v1/changes").success().await.unwrap().text("/next_cursor").unwrap();
    let poll = [("cursor", cursor.as_str()), ("wait", "2")];
    assert_eq!(resident.get("/v1/changes").query(&poll).success().await.unwrap().rows().unwrap().len(), 0);
    desk.close().await;
}

#[tokio::test]
#[cfg(target_os = "linux")] // The second address of this machine, 127.0.0.2, exists only there.
async fn one_address_cannot_take_the_connections_of_another() {
    let desk = Desk::builder().without_worker().open().await;
    let server = desk.watched("serve", &[("SONGDA_CONNECTIONS_PER_ADDRESS", "2")]).await;
    let server = (address(&server).await, server);
    let mut first = connect_from("127.0.0.1", server.0).await;
    let mut second = connect_from("127.0.0.1", server.0).await;
    assert!(is_served(&mut first).await && is_served(&mut second).await);
    assert!(!is_served(&mut connect_from("127.0.0.1", server.0).await).await, "the third of this address");
    assert!(is_served(&mut connect_from("127.0.0.2", server.0).await).await, "another address");
    drop(first);
    wait_until("the address may connect again", async || {
        is_served(&mut connect_from("127.0.0.1", server.0).await).await
    })
    .await;
    assert!(is_served(&mut second).await);
    desk.close().await;
}

#[tokio::test]
async fn all_connections_together_have_a_limit() {
    let desk = Desk::builder().without_worker().open().await;
    let settings = [("SONGDA_CONNECTIONS", "2"), ("SONGDA_PROXIES", "1"), ("SONGDA_CONNECTIONS_PER_ADDRESS", "1")];
    let server = desk.watched("serve", &settings).await;
    let server = (address(&server).await, server);
    let mut open = [connect_from("127.0.0.1", server.0).await, connect_from("127.0.0.1", server.0).await];
    for connection in &mut open {
        assert!(is_served(connection).await, "a reverse proxy is not limited like one caller");
    }
    assert!(!is_served(&mut connect_from("127.0.0.1", server.0).await).await, "the third of all");
    desk.close().await;
}

#[tokio::test]
async fn http2_announces_how_many_streams_a_connection_may_have() {
    const MAX_CONCURRENT_STREAMS: u16 = 3; // RFC 9113 §6.5.2
    let desk = Desk::builder().without_worker().open().await;
    let server: SocketAddr = desk.api.base().socket_addrs(|| None).unwrap()[0];
    let mut stream = TcpStream::connect(server).await.unwrap();
    stream.write_all(&[PREFACE, SETTINGS].concat()).await.unwrap();
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3], 4, "the first frame is SETTINGS");
    let mut settings = vec![0; usize::from(u16::from_be_bytes([head[1], head[2]]))];
    stream.read_exact(&mut settings).await.unwrap();
    let found = settings.chunks(6).find(|setting| setting[..2] == MAX_CONCURRENT_STREAMS.to_be_bytes());
    assert_eq!(found.map(|setting| &setting[2..]), Some(&100_u32.to_be_bytes()[..]), "{settings:?}");
    desk.close().await;
}
