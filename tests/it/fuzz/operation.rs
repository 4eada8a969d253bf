//! An operation of the OpenAPI documents: valid requests to it, and the answers that it is allowed to give.

use poem::http::{HeaderValue, Method};
use poem::test::TestClient;
use poem::{Endpoint, Response};
use serde_json::Value;
use songda::api::documents::documents;

use super::known::Known;
use crate::support::edge::Read;

pub struct Operation {
    /// For example `POST /v1/cases`.
    pub name: String,
    path: String,
    method: Method,
    described: Value,
}

/// A request, valid until a test changes it.
#[derive(Clone)]
pub struct Request {
    /// Path and query.
    pub target: String,
    pub headers: Vec<(String, HeaderValue)>,
    pub body: Vec<u8>,
}

impl Operation {
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for document in documents().unwrap() {
            for (path, methods) in document.value["paths"].as_object().unwrap() {
                for (method, described) in methods.as_object().unwrap() {
                    let method: Method = method.to_uppercase().parse().unwrap();
                    let name = format!("{method} {path}");
                    all.push(Self { name, path: path.clone(), method, described: described.clone() });
                }
            }
        }
        all
    }

    /// Returns the parameters in one place: `path`, `query` or `header`.
    pub fn parameters(&self, place: &str) -> impl Iterator<Item = &Value> {
        let all = self.described["parameters"].as_array().into_iter().flatten();
        all.filter(move |parameter| parameter["in"] == place)
    }

    /// Returns the example of the JSON body.
    pub fn example(&self) -> Option<&Value> {
        self.described.pointer("/requestBody/content/application~1json/example")
    }

    /// True unless the answer is an endless stream.
    pub fn ends(&self) -> bool {
        self.described.pointer("/responses/200/content/text~1event-stream").is_none()
    }

    /// Makes a valid request for an existing resource, by a caller who is allowed to read or change it.
    pub fn request(&self, known: &Known) -> Request {
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
            path.replace(&format!("{{{}}}", parameter["name"].as_str().unwrap()), known.id(parameter))
        });
        let body = self.example().map(Value::to_string).unwrap_or_default().into_bytes();
        Request { target, headers, body }
    }

    /// Sends a request, and asserts the rules for every answer: the status is documented, and it is no 5xx. A 4xx comes
    /// with a problem (RFC 9457), and the pointers in the problem lead into the body of the request.
    pub async fn send<E: Endpoint<Output = Response>>(&self, server: &TestClient<E>, sent: &Request) -> Read {
        let mut request = server.request(self.method.clone(), &sent.target);
        for (name, value) in &sent.headers {
            request = request.header(name, value.clone());
        }
        let answer = Read::of(request.body(sent.body.clone()).send().await).await;
        let about = || format!("{self:?} answers {}: {} to {sent:?}", answer.status, answer.body);
        assert!(!answer.status.is_server_error(), "{}", about());
        // These statuses mean that a path or headers are too long. Every operation can answer them, so no document
        // lists them.
        let anywhere = [414, 431].contains(&answer.status.as_u16());
        let is_documented = self.described["responses"].get(answer.status.as_str()).is_some();
        assert!(is_documented || anywhere, "undocumented: {}", about());
        if answer.status.is_client_error() {
            assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", about());
            let problem: Value = serde_json::from_str(&answer.body).unwrap();
            assert_eq!(problem["status"], answer.status.as_u16(), "{}", about());
            let body = serde_json::from_slice::<Value>(&sent.body);
            for error in problem["errors"].as_array().into_iter().flatten() {
                let pointer = error["pointer"].as_str().unwrap();
                let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
                // The body of a submission only names a draft, and the pointers lead into the draft.
                let exists = self.path == "/v1/cases" || body.as_ref().is_ok_and(|body| body.pointer(parent).is_some());
                assert!(exists, "{pointer} does not exist: {}", about());
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

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = self.headers.iter().filter(|(name, _)| name != "authorization");
        write!(f, "{} {:?} \"{}\"", self.target, shown.collect::<Vec<_>>(), self.body.escape_ascii())
    }
}
