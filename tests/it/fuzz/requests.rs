//! Whole requests as bytes on a connection, damaged anywhere: request line, headers, chunks, multipart. The server soon
//! answers or closes the connection. It never answers with a 5xx, and it continues to serve.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::known::Known;
use super::mangle::{self, Mangled};
use super::seeds;
use crate::support::desk::Desk;
use crate::support::settings::UNLIMITED;

/// The time within which the server must answer, or hang up after its client did.
const LONG: Duration = Duration::from_secs(20);

/// Sends a request, and reads the answer. An incomplete request gets no answer, so its client hangs up after
/// `time_out`.
async fn exchange(server: SocketAddr, request: &Mangled, time_out: Duration) -> Vec<u8> {
    let mut stream = TcpStream::connect(server).await.unwrap();
    let mut answer = Vec::new();
    // The server can hang up before it has read everything.
    if stream.write_all(&request.0).await.is_err() {
        return answer;
    }
    if tokio::time::timeout(time_out, stream.read_to_end(&mut answer)).await.is_err() {
        let _ = stream.shutdown().await;
        let end = tokio::time::timeout(LONG, stream.read_to_end(&mut answer)).await;
        assert!(end.is_ok(), "no end to {request:?}");
    }
    answer
}

/// Returns the statuses of the answers on a connection.
fn statuses(answer: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(answer);
    text.split("HTTP/1.1 ").skip(1).map(|answer| answer.chars().take(3).collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn any_bytes_on_a_connection_leave_the_server_running() {
    const SHORT: Duration = Duration::from_millis(300);
    let mut desk = Desk::builder().settings(&UNLIMITED).without_worker().open().await;
    desk.leave_jobs();
    let known = Known::on(&desk).await;
    let server = desk.server().await;
    let url: &Url = server.api.base();
    let address = url.socket_addrs(|| None).unwrap()[0];
    let filled = |seed: String| {
        let lines = seed.replace("\r\n", "\n").replace('\n', "\r\n").replace("{host}", url.authority());
        ["person", "officer", "operator", "client"]
            .iter()
            .fold(lines, |text, scheme| text.replace(&format!("{{{scheme}}}"), known.token(scheme)))
            .into_bytes()
    };
    let seeds: Vec<Vec<u8>> = seeds::texts("requests").into_iter().map(filled).collect();
    for seed in &seeds {
        let answer = exchange(address, &Mangled(seed.clone()), LONG).await;
        let status = statuses(&answer);
        assert!(status.first().is_some_and(|status| status.starts_with('2')), "{status:?} to {}", seed.escape_ascii());
    }
    for requests in mangle::some(&mangle::bytes(seeds), mangle::cases()).chunks(32) {
        let answers = join_all(requests.iter().map(|request| exchange(address, request, SHORT))).await;
        for (request, answer) in requests.iter().zip(answers) {
            let status = statuses(&answer);
            assert!(status.iter().all(|status| !status.starts_with('5')), "{status:?} to {request:?}");
        }
    }
    assert!(server.api.get("/healthz").answer().await.unwrap().status.is_success());
    assert!(!server.log().contains("panicked"), "{}", server.log());
    desk.close().await;
}
