//! What the log says of requests, and what it must never say.

use std::io;
use std::sync::{Arc, Mutex};

use poem::http::Method;
use serde_json::Value;
use songda::env::Env;
use songda::telemetry::{LogSettings, subscriber};

use super::{notes, now, token, tokens};

/// A log that is kept in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines about requests: method, route, status, caller.
    fn answered(&self) -> Vec<(String, String, u64, String)> {
        let lines = self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>();
        let of_requests = lines.iter().filter(|line| line["message"] == "answered");
        let word = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
        of_requests
            .inspect(|line| assert!(line["micros"].is_u64() && line["request_id"].is_string(), "{line}"))
            .map(|line| {
                (word(line, "method"), word(line, "route"), line["status"].as_u64().unwrap(), word(line, "caller"))
            })
            .collect()
    }
}

#[tokio::test]
async fn each_request_leaves_a_line_and_nothing_personal_in_it() {
    let log = Log::default();
    let settings = LogSettings::read(&mut Env::of([("SONGDA_LOG", "trace")])).unwrap();
    let memory = log.clone();
    let _guard = tracing::subscriber::set_default(subscriber(&settings, move || memory.clone()));

    let tokens = tokens();
    let server = notes::server(&tokens);
    let (phone, name) = ("13912345678", "%E7%8E%8B%E5%B0%8F%E6%98%8E");
    let bearer = format!("Bearer {}", token(&tokens, "person", now()));
    server.get(format!("/v1/notes?prefix={phone}&limit=1")).header("authorization", &bearer).send().await;
    server.get(format!("/v1/notes?limit={phone}")).send().await;
    server.get(format!("/v1/notes/{name}")).header("authorization", format!("Bearer {phone}")).send().await;
    server.post(format!("/nowhere/{phone}/{name}")).body(phone).send().await;
    let made_up = Method::from_bytes(phone.as_bytes()).unwrap();
    server.request(made_up, format!("/v1/notes?{name}")).send().await;

    let line = |method: &str, route: &str, status, caller: &str| {
        (method.to_owned(), route.to_owned(), status, caller.to_owned())
    };
    let expected = [
        line("GET", "/v1/notes", 200, "person"),
        line("GET", "/v1/notes", 400, "nobody"),
        line("GET", "/v1/notes/{id}", 404, "refused"),
        line("POST", "unknown", 404, "nobody"),
        line("unknown", "/v1/notes", 405, "nobody"),
    ];
    assert_eq!(log.answered(), expected);
    for personal in [phone, name, "王小明", bearer.as_str()] {
        assert!(!log.text().contains(personal), "{personal} is in the log:\n{}", log.text());
    }
}
