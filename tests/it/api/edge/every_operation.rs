//! Sends valid and invalid requests to every operation of every OpenAPI document, and of the sample API.

use poem::http::Method;
use poem::test::TestClient;
use poem::{Endpoint, Response};
use serde_json::{Value, json};
use songda::api::documents::documents;
use songda::domain::kernel::clock::Clock;
use songda::lifecycle::Tasks;

use super::sample;
use crate::support::desk::Desk;
use crate::support::edge::{Read, now, token, tokens};
use crate::support::settings::UNLIMITED;

/// The origin of the pages that may call every operation.
const PAGE: &str = "https://h5.example";
const LISTED: [(&str, &str); 2] = [("SONGDA_CORS_ORIGINS", PAGE), ("SONGDA_CORS_STAFF_ORIGINS", PAGE)];

#[tokio::test]
async fn every_operation_of_every_document_keeps_the_rules() {
    let desk = Desk::builder().settings(&UNLIMITED).settings(&LISTED).without_worker().open().await;
    let server = TestClient::new(desk.app.routes(&Tasks::new().stopping()).unwrap());
    let tokens = CallerTokens::of(&desk).await;
    for document in documents().unwrap() {
        walk(&server, &document.value, &|scheme| tokens.of_scheme(scheme)).await;
    }
    desk.close().await;
}

#[tokio::test]
async fn every_operation_of_the_sample_api_keeps_the_rules() {
    let tokens = tokens();
    walk(&sample::server_with(&tokens, &[&UNLIMITED[..], &LISTED].concat()), &sample::document(), &|scheme| {
        token(&tokens, scheme, now())
    })
    .await;
}

#[tokio::test]
async fn every_operation_of_every_document_has_a_rate_limit() {
    let quota = ["SIGN_IN", "MOBILE", "STAFF", "INTEGRATION"].map(|of| (format!("SONGDA_RATE_{of}"), "20"));
    let quota = quota.each_ref().map(|(name, quota)| (name.as_str(), *quota));
    let mut desk = Desk::builder().settings(&quota).without_worker().open().await;
    desk.leave_jobs();
    let server = TestClient::new(desk.app.routes(&Tasks::new().stopping()).unwrap());
    let tokens = CallerTokens::of(&desk).await;
    for document in documents().unwrap() {
        for (path, methods) in document.value["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let described = Described { path, method, operation };
                Visit::of(&server, &described, &|scheme| tokens.of_scheme(scheme)).is_limited().await;
            }
        }
    }
    desk.close().await;
}

/// A token for each security scheme of the OpenAPI documents. The officer and the operator really sign in, because the
/// API looks them up in the database.
struct CallerTokens {
    person: String,
    officer: String,
    operator: String,
    client: String,
}

impl CallerTokens {
    async fn of(desk: &Desk) -> Self {
        let issue = |scheme: &str| token(desk.app.tokens(), scheme, Clock::system().now());
        Self {
            person: issue("person"),
            officer: desk.staff_token("officer.public-security").await,
            operator: desk.operator().await.caller().token().unwrap().to_owned(),
            client: issue("client"),
        }
    }

    fn of_scheme(&self, scheme: &str) -> String {
        match scheme {
            "person" => self.person.clone(),
            "officer" => self.officer.clone(),
            "operator" => self.operator.clone(),
            "client" => self.client.clone(),
            other => panic!("no such scheme: {other}"),
        }
    }
}

/// An operation in an OpenAPI document.
struct Described<'a> {
    path: &'a str,
    method: &'a str,
    operation: &'a Value,
}

async fn walk<E: Endpoint<Output = Response>>(
    server: &TestClient<E>,
    document: &Value,
    token: &impl Fn(&str) -> String,
) {
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let visit = Visit::of(server, &Described { path, method, operation }, token);
            visit.refuses_another_method().await;
            visit.answers_a_preflight().await;
            visit.needs_a_token().await;
            visit.needs_its_conditions().await;
            visit.refuses_bad_bodies().await;
            visit.refuses_bad_paths().await;
            visit.refuses_a_bad_cursor().await;
            visit.answers_a_valid_read().await;
        }
    }
}

/// An operation, and the parts of a valid request to it.
struct Visit<'a, E> {
    server: &'a TestClient<E>,
    name: String,
    path: String,
    method: Method,
    operation: &'a Value,
    headers: Vec<(String, String)>,
    body: Option<(String, Value)>,
}

impl<'a, E: Endpoint<Output = Response>> Visit<'a, E> {
    fn of(
        server: &'a TestClient<E>,
        Described { path, method, operation }: &Described<'a>,
        token: &impl Fn(&str) -> String,
    ) -> Self {
        let mut headers = Vec::new();
        if let Some(scheme) = operation["security"][0].as_object().and_then(|scheme| scheme.keys().next()) {
            headers.push(("authorization".to_owned(), format!("Bearer {}", token(scheme))));
        }
        let mut filled = (*path).to_owned();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            let example = parameter["example"].as_str().unwrap_or("1");
            match parameter["in"].as_str().unwrap() {
                "path" => filled = filled.replace(&format!("{{{name}}}"), example),
                "header" if name == "If-Match" || parameter["required"] == true => {
                    headers.push((name.to_owned(), example.to_owned()));
                }
                _ => {}
            }
        }
        let content = operation["requestBody"]["content"].as_object().and_then(|content| content.iter().next());
        let body = content.map(|(kind, media)| (kind.clone(), media["example"].clone()));
        let method: Method = method.to_uppercase().parse().unwrap();
        Self { server, name: format!("{method} {path}"), path: filled, method, operation, headers, body }
    }

    /// Sends the request without the headers `except` and with the headers `extra`. Asserts the rules that every
    /// response must keep: its headers, and a documented status.
    async fn send(&self, method: &Method, except: &[&str], extra: &[(&str, &str)], body: Vec<u8>) -> Read {
        let mut request = self.server.request(method.clone(), &self.path);
        for (name, value) in self.headers.iter().filter(|(name, _)| !except.contains(&name.as_str())) {
            request = request.header(name, value);
        }
        for (name, value) in extra {
            request = request.header(*name, *value);
        }
        let answer = Read::of(request.body(body).send().await).await;
        for header in ["x-request-id", "traceparent", "cache-control"] {
            assert!(answer.header(header).is_some(), "{}: no {header}", self.name);
        }
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{}", self.name);
        let is_documented = self.operation["responses"].get(answer.status.as_str()).is_some();
        assert!(is_documented || *method != self.method, "{}: {} is not documented", self.name, answer.status);
        answer
    }

    /// Sends `body`, or the documented example if `body` is `None`.
    async fn send_json(&self, except: &[&str], body: Option<&str>) -> Read {
        let documented = self.body.as_ref().map(|(_, example)| example.to_string()).unwrap_or_default();
        let kind = self.body.as_ref().map_or("application/json", |(kind, _)| kind.as_str());
        self.send(&self.method, except, &[("content-type", kind)], body.unwrap_or(&documented).into()).await
    }

    async fn refuses_another_method(&self) {
        for (language, title) in
            [("en", "This address does not support that method"), ("zh-CN", "此地址不支持该请求方法")]
        {
            let answer = self.send(&Method::PATCH, &[], &[("accept-language", language)], vec![]).await;
            let problem = answer.assert_problem(405, "method_not_allowed", &self.name);
            assert_eq!(problem["title"], title);
            assert_eq!(answer.header("content-language"), Some(language));
            assert!(
                answer.header("ratelimit").is_some() && answer.header("ratelimit-policy").is_some(),
                "{}",
                self.name
            );
            let allow = answer.header("allow").unwrap_or_default();
            assert!(allow.split(", ").any(|method| method == self.method.as_str()), "{}: Allow: {allow}", self.name);
        }
    }

    async fn answers_a_preflight(&self) {
        let headers = [("origin", PAGE), ("access-control-request-method", self.method.as_str())];
        let answer = self.send(&Method::OPTIONS, &["authorization"], &headers, vec![]).await;
        assert_eq!(answer.status, 204, "{}", self.name);
        assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE));
        assert!(answer.header("access-control-allow-methods").unwrap().contains(self.method.as_str()));
    }

    async fn needs_a_token(&self) {
        if self.operation["security"].as_array().unwrap().is_empty() {
            return;
        }
        let anonymous = self.send_json(&["authorization"], None).await;
        anonymous.assert_problem(401, "unauthenticated", &self.name);
        assert_eq!(anonymous.header("www-authenticate"), Some("Bearer realm=\"songda\""));
        let forged = self.send(&self.method, &["authorization"], &[("authorization", "Bearer a.b.c")], vec![]).await;
        forged.assert_problem(401, "invalid_token", &self.name);
        assert!(forged.header("www-authenticate").unwrap().contains("invalid_token"));
    }

    async fn needs_its_conditions(&self) {
        let needs = |header: &str| self.headers.iter().any(|(name, _)| name == header);
        if needs("If-Match") {
            self.send_json(&["If-Match"], None).await.assert_problem(428, "version_required", &self.name);
        }
        if needs("Idempotency-Key") {
            let answer = self.send_json(&["Idempotency-Key"], None).await;
            answer.assert_problem(400, "idempotency_key_missing", &self.name);
        }
    }

    async fn refuses_bad_bodies(&self) {
        let Some((kind, _)) = &self.body else { return };
        let huge = [("content-length", "999999999")];
        let answer = self.send(&self.method, &[], &huge, b"x".to_vec()).await;
        answer.assert_problem(413, "body_too_large", &self.name);
        let answer = self.send(&self.method, &[], &[("content-type", "text/plain")], b"x".to_vec()).await;
        answer.assert_problem(415, "unsupported_media_type", &self.name);
        let zipped = [("content-type", kind.as_str()), ("content-encoding", "gzip")];
        let answer = self.send(&self.method, &[], &zipped, b"x".to_vec()).await;
        answer.assert_problem(415, "unsupported_media_type", &self.name);
        assert_eq!(answer.header("accept-encoding"), Some("identity"), "{}", self.name);
        if kind == "application/json" {
            self.send_json(&[], Some("{\"a\":")).await.assert_problem(400, "malformed_json", &self.name);
            let problem = self.send_json(&[], Some("[]")).await.assert_problem(422, "invalid_body", &self.name);
            assert_eq!(problem["errors"][0]["pointer"], json!(""), "{}", self.name);
        }
    }

    /// Asserts that a path is refused if it is not UTF-8, has one slash too many, or has an id that cannot exist.
    async fn refuses_bad_paths(&self) {
        for path in [format!("{}/", self.path), self.path.replacen("/v1/", "/v1/%FF", 1), format!("{}%00", self.path)] {
            let mut request = self.server.request(self.method.clone(), &path);
            for (name, value) in &self.headers {
                request = request.header(name, value);
            }
            let answer = Read::of(request.send().await).await;
            let code = answer.json()["code"].as_str().unwrap_or_default().to_owned();
            assert!(answer.status.is_client_error(), "{} at {path}: {}", self.name, answer.status);
            answer.assert_problem(answer.status.as_u16(), &code, &self.name);
        }
    }

    async fn refuses_a_bad_cursor(&self) {
        let parameters: Vec<&Value> = self.operation["parameters"].as_array().into_iter().flatten().collect();
        if !parameters.iter().any(|parameter| parameter["name"] == "cursor") {
            return;
        }
        let needed = parameters.iter().filter(|it| it["in"] == "query" && it["required"] == true).map(|it| {
            let name = &it["name"];
            let value = &it["example"];
            format!("&{}={}", name.as_str().unwrap(), value.as_str().unwrap_or_else(|| panic!("{name}: no example")))
        });
        let path = format!("{}?cursor=x{}", self.path, needed.collect::<String>());
        let mut request = self.server.request(self.method.clone(), &path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        Read::of(request.send().await).await.assert_problem(400, "invalid_cursor", &self.name);
    }

    /// Repeats one request until the rate limiter refuses it. Operations share a quota. It is used up when the check of
    /// one operation ends, but it refills gradually, so the first requests to the next operation are possibly allowed.
    async fn is_limited(&self) {
        const MORE_THAN_ANY_QUOTA: usize = 30;
        if self.is_stream() {
            return;
        }
        for _ in 0..MORE_THAN_ANY_QUOTA {
            let answer = self.send_json(&[], None).await;
            assert!(!answer.status.is_server_error(), "{}: {} {}", self.name, answer.status, answer.body);
            // If one phone number asks for too many sign-in codes, the refusal is another problem, with its own `code`.
            if answer.status == 429 && answer.body.contains("too_many_requests") {
                answer.assert_problem(429, "too_many_requests", &self.name);
                let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
                assert!((1..=60).contains(&wait), "{}: wait for {wait} s", self.name);
                assert!(answer.header("ratelimit").unwrap().contains("r=0"), "{}", self.name);
                return;
            }
        }
        panic!("{} has no rate limit", self.name);
    }

    fn is_stream(&self) -> bool {
        self.operation["responses"]["200"]["content"].get("text/event-stream").is_some()
    }

    /// Asserts that a valid read by a caller who owns nothing is never answered with a 5xx, and that a 200 has an ETag
    /// if the operation documents a 304.
    async fn answers_a_valid_read(&self) {
        if self.is_stream() || self.method != Method::GET || self.path == sample::PANICKING {
            return;
        }
        let answer = self.send_json(&[], None).await;
        assert!(!answer.status.is_server_error(), "{}: {} {}", self.name, answer.status, answer.body);
        for header in ["ratelimit", "ratelimit-policy"] {
            assert!(answer.header(header).is_some(), "{}: no {header}", self.name);
        }
        let head = self.send(&Method::HEAD, &[], &[], vec![]).await;
        assert_eq!(head.status, answer.status, "HEAD of {}", self.name);
        if answer.status == 200 && self.operation["responses"].get("304").is_some() {
            let tag = answer.header("etag").unwrap_or_else(|| panic!("{}: no ETag", self.name));
            let again = self.send(&self.method, &[], &[("if-none-match", tag)], vec![]).await;
            assert_eq!((again.status.as_u16(), again.header("etag")), (304, Some(tag)), "{}", self.name);
        }
    }
}
