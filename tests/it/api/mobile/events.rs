//! Changes that concern a person, as they happen: by long polling (`/v1/changes`) and by Server-Sent Events
//! (`/v1/events`). Both read the same log.

use std::time::Duration;

use serde_json::{Value, json};
use songda::auth::tokens::{LIFETIME, TokenAudience};
use songda::casework::notices::live::MOST_STREAMS;
use songda::demo::fresh_key;
use songda::domain::kernel::clock::{Clock, Stopwatch};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;

use crate::support::desk::Desk;
use crate::support::office::{Office, result};
use crate::support::wait::{TIMEOUT, wait_until};

/// A resident who follows the changes on a second phone, and a back-office system that causes changes.
struct Listener {
    desk: Desk,
    phone: &'static str,
    token: String,
    office: Office,
}

impl Listener {
    async fn new() -> Self {
        let mut desk = Desk::open().await;
        desk.leave_jobs();
        let name = fresh_key();
        let phone = desk.resident_named(&name).await.phone();
        let code = json!({"code": format!("wx-{name}.again")});
        let session = desk.api.post("/v1/sessions/wechat").json(&code).success().await.unwrap();
        let office = Office::register(&desk).await;
        Self { token: session.text("/access_token").unwrap(), desk, phone, office }
    }

    /// Issues another token of the resident's session. It expires in two seconds.
    fn brief_token(&self) -> String {
        let tokens = self.desk.app.tokens();
        let now = Clock::system().now();
        let claims = tokens.verify(&self.token, &TokenAudience::ALL, now).unwrap();
        let issued_at = now - LIFETIME + Duration::from_secs(2);
        tokens.issue(&claims.sub, TokenAudience::Mobile, claims.grant.clone(), issued_at).unwrap()
    }

    /// Reports a decision for the resident.
    async fn decide(&self) {
        self.office.hand_in(&[result(self.phone)]).await;
    }

    async fn changes(&self, parameters: &[(&str, &str)]) -> Value {
        let caller = self.desk.api.with_token(&self.token);
        caller.get("/v1/changes").query(parameters).success().await.unwrap().body
    }

    /// Opens a stream of the events after the one with the id `last`, or of the events from now on.
    async fn listen(&self, last: Option<&str>) -> Events {
        self.listen_with(&self.token, last).await
    }

    async fn listen_with(&self, token: &str, last: Option<&str>) -> Events {
        let base = self.desk.api.base();
        let host = base.host_str().unwrap();
        let mut stream = TcpStream::connect((host, base.port().unwrap())).await.unwrap();
        let last = last.map_or_else(String::new, |last| format!("Last-Event-ID: {last}\r\n"));
        let ask = format!("GET /v1/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n{last}\r\n");
        stream.write_all(ask.as_bytes()).await.unwrap();
        let mut events = Events(BufReader::new(stream).lines());
        assert!(events.line().await.contains("200"), "the stream is open");
        while !events.line().await.is_empty() {}
        events
    }
}

struct Events(Lines<BufReader<TcpStream>>);

impl Events {
    async fn line(&mut self) -> String {
        let line = tokio::time::timeout(TIMEOUT, self.0.next_line()).await.expect("another line comes in time");
        line.unwrap().expect("the stream goes on")
    }

    /// Waits for the end of the stream: its last chunk, which is empty.
    async fn end(&mut self) {
        while self.line().await != "0" {}
    }

    /// Like [`Events::end`]. Fails if an event comes before the end.
    async fn end_without_event(&mut self) {
        loop {
            let line = self.line().await;
            assert!(!line.starts_with("data:"), "{line}");
            if line == "0" {
                return;
            }
        }
    }

    /// Waits for the next event, and returns its id and content.
    async fn next(&mut self) -> (String, Value) {
        let mut id = String::new();
        let mut data = String::new();
        loop {
            let line = self.line().await;
            if let Some(value) = line.strip_prefix("id:") {
                id = value.trim().to_owned();
            } else if let Some(value) = line.strip_prefix("data:") {
                data.push_str(value.trim());
            } else if line.is_empty() && !data.is_empty() {
                return (id, serde_json::from_str(&data).unwrap());
            }
        }
    }
}

#[tokio::test]
async fn a_long_poll_is_answered_as_soon_as_something_happens() {
    let listener = Listener::new().await;
    let now = listener.changes(&[]).await;
    let cursor = now["next_cursor"].as_str().unwrap();
    assert_eq!(now["data"], json!([]));
    let asked = Stopwatch::start();
    let poll = [("cursor", cursor), ("wait", "25")];
    let (page, ()) = tokio::join!(listener.changes(&poll), listener.decide());
    let kinds: Vec<&str> = page["data"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"notification"), "{kinds:?} after {:?}", asked.elapsed());
    let again = listener.changes(&[("cursor", cursor)]).await;
    assert_eq!(again["data"].as_array().unwrap()[..kinds.len()], page["data"].as_array().unwrap()[..]);
    listener.desk.close().await;
}

#[tokio::test]
async fn a_broken_stream_resumes_after_its_last_event() {
    let listener = Listener::new().await;
    let start = listener.changes(&[]).await["next_cursor"].as_str().unwrap().to_owned();
    let mut stream = listener.listen(None).await;
    listener.decide().await;
    let (last, first) = stream.next().await;
    drop(stream);
    listener.decide().await;

    let log = listener.changes(&[("cursor", &start)]).await["data"].as_array().unwrap().clone();
    assert_eq!(log[0], first, "both endpoints read one log");
    let mut stream = listener.listen(Some(&last)).await;
    for expected in &log[1..] {
        assert_eq!(stream.next().await.1, *expected, "no event is repeated or left out");
    }
    listener.desk.close().await;
}

#[tokio::test]
async fn a_stream_ends_with_its_token_while_streams_with_valid_tokens_go_on() {
    let listener = Listener::new().await;
    let mut others = listener.listen(None).await;
    let mut stream = listener.listen_with(&listener.brief_token(), None).await;
    stream.end().await;
    listener.decide().await;
    others.next().await;
    listener.desk.close().await;
}

#[tokio::test]
async fn a_stream_shows_no_change_after_a_sign_out() {
    let listener = Listener::new().await;
    let mut stream = listener.listen(None).await;
    let caller = listener.desk.api.with_token(&listener.token);
    caller.delete("/v1/sessions/current").success().await.unwrap();
    wait_until("the token is refused", async || caller.get("/v1/me").answer().await.unwrap().status == 401).await;
    listener.decide().await;
    stream.end_without_event().await;
    listener.desk.close().await;
}

#[tokio::test]
async fn the_oldest_of_too_many_streams_ends() {
    let listener = Listener::new().await;
    let mut oldest = listener.listen(None).await;
    let mut second = listener.listen(None).await;
    let mut more = Vec::new();
    for _ in 2..=MOST_STREAMS {
        more.push(listener.listen(None).await);
    }
    oldest.end().await;
    listener.decide().await;
    for stream in more.iter_mut().chain([&mut second]) {
        stream.next().await;
    }
    listener.desk.close().await;
}
