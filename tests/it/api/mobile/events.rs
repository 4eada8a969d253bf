//! What changes for a person is told as it happens, by long-poll and by Server-Sent Events from one log; and the inbox, with
//! what was read of it.

use std::time::Duration;

use serde_json::{Value, json};
use songda::auth::tokens::{LIFETIME, TokenAudience, Tokens};
use songda::casework::notices::live::MOST_STREAMS;
use songda::demo::back_office::BackOffice;
use songda::demo::fresh_key;
use songda::demo::http::Caller;
use songda::domain::kernel::clock::Clock;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;

use crate::support::desk::{Desk, PATIENCE};
use crate::support::office::{back_office, result};

/// Somebody for whom an office decides, with a token of theirs.
struct Scene {
    desk: Desk,
    phone: &'static str,
    token: String,
    tokens: Tokens,
    office: BackOffice,
}

impl Scene {
    async fn open() -> Self {
        let (mut desk, app) = Desk::open_api(&[]).await;
        let tokens = app.tokens().clone();
        desk.work(app);
        desk.leave_jobs();
        let someone = fresh_key();
        let (resident, _) = desk.resident_called(&someone).await;
        let code = json!({"code": format!("wx-{someone}.again")});
        let session = desk.api.post("/v1/sessions/wechat").json(&code).success().await.unwrap();
        let (phone, office) = (resident.applicant.phone, back_office(&desk).await);
        Self { token: session.text("/access_token").unwrap(), tokens, desk, phone, office }
    }

    /// A token of the same sign-in that ends soon.
    fn brief_token(&self) -> String {
        let now = Clock::system().now();
        let claims = self.tokens.verify(&self.token, &TokenAudience::ALL, now).unwrap();
        let long_ago = now - LIFETIME + Duration::from_secs(2);
        self.tokens.issue(&claims.sub, TokenAudience::Mobile, claims.grant.clone(), long_ago).unwrap()
    }

    /// The same person at another phone of theirs.
    fn caller(&self) -> Caller {
        self.desk.api.with_token(&self.token)
    }

    /// Something happens to the person.
    async fn decide(&self) {
        self.office.hand_in(&[result(self.phone)]).await.unwrap();
    }

    async fn changes(&self, parameters: &[(&str, &str)]) -> Value {
        self.caller().get("/v1/changes").query(parameters).success().await.unwrap().body
    }

    /// Opens a stream of events, from now or from after the last one that was heard.
    async fn listen(&self, last: Option<&str>) -> Events {
        self.listen_by(&self.token, last).await
    }

    async fn listen_by(&self, token: &str, last: Option<&str>) -> Events {
        let base = self.desk.api.base();
        let address = (base.host_str().unwrap(), base.port().unwrap());
        let mut stream = TcpStream::connect(address).await.unwrap();
        let last = last.map_or_else(String::new, |last| format!("Last-Event-ID: {last}\r\n"));
        let ask =
            format!("GET /v1/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n{last}\r\n", address.0);
        stream.write_all(ask.as_bytes()).await.unwrap();
        let mut events = Events(BufReader::new(stream).lines());
        assert!(events.line().await.contains("200"), "the stream is open");
        while !events.line().await.is_empty() {}
        events
    }
}

/// A stream of events.
struct Events(Lines<BufReader<TcpStream>>);

impl Events {
    async fn line(&mut self) -> String {
        let line = tokio::time::timeout(PATIENCE, self.0.next_line()).await.expect("nothing more is told");
        line.unwrap().expect("the stream goes on")
    }

    /// Waits for the end of the stream: its last chunk, which holds nothing.
    async fn end(&mut self) {
        while self.line().await != "0" {}
    }

    /// The next event: its id, and what it tells.
    async fn next(&mut self) -> (String, Value) {
        let (mut id, mut data) = (String::new(), String::new());
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
async fn a_long_poll_is_answered_when_something_happens() {
    let scene = Scene::open().await;
    let now = scene.changes(&[]).await;
    let cursor = now["next_cursor"].as_str().unwrap();
    assert_eq!(now["data"], json!([]));
    let asked = songda::domain::kernel::clock::Stopwatch::start();
    let poll = [("cursor", cursor), ("wait", "25")];
    let (page, ()) = tokio::join!(scene.changes(&poll), scene.decide());
    let told: Vec<&str> = page["data"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert!(told.contains(&"notification"), "{told:?} after {:?}", asked.elapsed());
    let again = scene.changes(&[("cursor", cursor)]).await;
    assert_eq!(again["data"].as_array().unwrap()[..told.len()], page["data"].as_array().unwrap()[..]);
    scene.desk.close().await;
}

#[tokio::test]
async fn a_stream_that_broke_goes_on_after_its_last_event() {
    let scene = Scene::open().await;
    let start = scene.changes(&[]).await["next_cursor"].as_str().unwrap().to_owned();
    let mut stream = scene.listen(None).await;
    scene.decide().await;
    let (last, first) = stream.next().await;
    drop(stream);
    scene.decide().await;

    let log = scene.changes(&[("cursor", &start)]).await["data"].as_array().unwrap().clone();
    assert_eq!(log[0], first, "both tell the same log");
    let mut stream = scene.listen(Some(&last)).await;
    for expected in &log[1..] {
        assert_eq!(stream.next().await.1, *expected, "nothing twice, and nothing left out");
    }
    scene.desk.close().await;
}

#[tokio::test]
async fn a_stream_ends_with_its_token_and_goes_on_with_the_next() {
    let scene = Scene::open().await;
    let mut others = scene.listen(None).await;
    let mut stream = scene.listen_by(&scene.brief_token(), None).await;
    stream.end().await;
    scene.decide().await;
    others.next().await;
    scene.desk.close().await;
}

#[tokio::test]
async fn the_oldest_of_too_many_streams_ends() {
    let scene = Scene::open().await;
    let mut oldest = scene.listen(None).await;
    let mut second = scene.listen(None).await;
    let mut more = Vec::new();
    for _ in 2..=MOST_STREAMS {
        more.push(scene.listen(None).await);
    }
    oldest.end().await;
    scene.decide().await;
    for stream in more.iter_mut().chain([&mut second]) {
        stream.next().await;
    }
    scene.desk.close().await;
}

#[tokio::test]
async fn what_was_read_counts_no_more() {
    let scene = Scene::open().await;
    for _ in 0..3 {
        scene.decide().await;
    }
    let caller = scene.caller();
    let unread = async || {
        let count = caller.get("/v1/notifications/unread-count").success().await.unwrap();
        let listed = caller.get("/v1/notifications").query(&[("unread", "true")]).success().await.unwrap();
        let ids: Vec<String> = listed.rows().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(count.at("/unread").unwrap(), ids.len());
        ids
    };
    let all = unread().await;
    let [newest, middle, oldest] = &all[..] else { panic!("three: {all:?}") };
    let read = async |caller: &Caller, id: &str| {
        caller.put(&format!("/v1/notifications/{id}/read")).answer().await.unwrap().status.as_u16()
    };
    assert_eq!([read(&caller, middle).await, read(&caller, middle).await], [204, 204]);
    assert_eq!(unread().await, [newest.as_str(), oldest]);
    let (stranger, _) = scene.desk.resident().await;
    assert_eq!(read(stranger.caller(), newest).await, 404, "it is nobody else's");
    assert_eq!(unread().await.len(), 2);

    let up_to = json!({"up_to": newest});
    caller.put("/v1/notifications/read").json(&up_to).success().await.unwrap();
    assert_eq!(unread().await, [] as [String; 0]);
    let inbox = caller.get("/v1/notifications").success().await.unwrap();
    assert!(inbox.rows().unwrap().iter().all(|it| it["read_at"].is_string()), "{}", inbox.body);
    scene.desk.close().await;
}
