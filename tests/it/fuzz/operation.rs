//! An operation of the documents: how it is asked for, and what it may answer.

use poem::http::{HeaderValue, Method};
use poem::test::TestClient;
use poem::{Endpoint, Response};
use serde_json::Value;
use songda::api::documents::documents;

use super::known::Known;
use crate::api::edge::Read;

/// One operation.
pub struct Operation {
    /// `POST /v1/cases`
    pub name: String,
    path: String,
    method: Method,
    described: Value,
}

/// A request to it, right in every respect until something is changed.
#[derive(Clone)]
pub struct Asked {
    /// Path and query.
    pub target: String,
    /// Headers, each once.
    pub headers: Vec<(String, HeaderValue)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Operation {
    /// All of them.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for document in documents().unwrap() {
            for (path, methods) in document.value["paths"].as_object().unwrap() {
                for (method, described) in methods.as_object().unwrap() {
                    let method: Method = method.to_uppercase().parse().unwrap();
                    let (name, path) = (format!("{method} {path}"), path.clone());
                    all.push(Self { name, path, method, described: described.clone() });
                }
            }
        }
        all
    }

    /// Its parameters that stand in one place: `path`, `query` or `header`.
    pub fn parameters(&self, place: &str) -> impl Iterator<Item = &Value> {
        let all = self.described["parameters"].as_array().into_iter().flatten();
        all.filter(move |parameter| parameter["in"] == place)
    }

    /// The example of its JSON body.
    pub fn example(&self) -> Option<&Value> {
        self.described.pointer("/requestBody/content/application~1json/example")
    }

    /// Whether what it answers has an end.
    pub fn ends(&self) -> bool {
        self.described.pointer("/responses/200/content/text~1event-stream").is_none()
    }

    /// Asks for what is there, as who may.
    pub fn asked(&self, known: &Known) -> Asked {
        let mut headers = Vec::new();
        let mut add = |name: &str, value: &str| headers.push((name.to_owned(), HeaderValue::from_str(value).unwrap()));
        if let Some(scheme) = self.described["security"][0].as_object().and_then(|scheme| scheme.keys().next()) {
            add("authorization", &format!("Bearer {}", known.token(scheme)));
        }
        for parameter in self.parameters("header") {
            match parameter["name"].as_str().unwrap() {
                "If-Match" => add("if-match", "*"),
                "Idempotency-Key" => add("idempotency-key", &songda::demo::fresh_key()),
                _ => {}
            }
        }
        if let Some(kinds) = self.described["requestBody"]["content"].as_object() {
            add("content-type", kinds.keys().next().unwrap());
        }
        let target = self.parameters("path").fold(self.path.clone(), |path, parameter| {
            path.replace(&format!("{{{}}}", parameter["name"].as_str().unwrap()), known.thing(parameter))
        });
        let body = self.example().map(Value::to_string).unwrap_or_default().into_bytes();
        Asked { target, headers, body }
    }

    /// Asks, and checks what every answer owes: a status of the document, no fault of ours, a whole problem where it is one,
    /// and places of faults that are places in what was sent.
    pub async fn ask<E: Endpoint<Output = Response>>(&self, server: &TestClient<E>, asked: &Asked) -> Read {
        let mut request = server.request(self.method.clone(), &asked.target);
        for (name, value) in &asked.headers {
            request = request.header(name, value.clone());
        }
        let answer = Read::of(request.body(asked.body.clone()).send().await).await;
        let about = || format!("{self:?} answers {}: {} to {asked:?}", answer.status, answer.body);
        assert!(!answer.status.is_server_error(), "{}", about());
        // Any address or header can be too long.
        let anywhere = [414, 431].contains(&answer.status.as_u16());
        let is_told = self.described["responses"].get(answer.status.as_str()).is_some();
        assert!(is_told || anywhere, "undocumented: {}", about());
        if answer.status.is_client_error() {
            assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", about());
            let problem: Value = serde_json::from_str(&answer.body).unwrap();
            assert_eq!(problem["status"], answer.status.as_u16(), "{}", about());
            let sent = serde_json::from_slice::<Value>(&asked.body);
            for error in problem["errors"].as_array().into_iter().flatten() {
                let pointer = error["pointer"].as_str().unwrap();
                let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
                // What is wrong with a case that is submitted stands in its draft.
                let leads = self.path == "/v1/cases" || sent.as_ref().is_ok_and(|sent| sent.pointer(parent).is_some());
                assert!(leads, "{pointer} leads nowhere: {}", about());
            }
        }
        answer
    }
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = self.headers.iter().filter(|(name, _)| name != "authorization");
        write!(f, "{} {:?} \"{}\"", self.target, shown.collect::<Vec<_>>(), self.body.escape_ascii())
    }
}
