//! What each kind of operation does with valid requests, and with the invalid requests that only this kind can get.

use poem::test::TestClient;
use poem::{Body, Endpoint, Response};
use serde_json::json;
use songda::auth::tokens::Tokens;
use songda::domain::kernel::clock::fresh;
use songda::domain::kernel::ids::DraftId;

use super::sample;
use crate::support::edge::{Read, now, token, tokens};

fn note() -> String {
    format!("/v1/notes/{}", fresh(DraftId::from_uuid))
}

async fn get<E: Endpoint<Output = Response>>(server: &TestClient<E>, path: &str, headers: &[(&str, &str)]) -> Read {
    let mut request = server.get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Read::of(request.send().await).await
}

fn bearer(tokens: &Tokens, scheme: &str) -> String {
    format!("Bearer {}", token(tokens, scheme, now()))
}

#[tokio::test]
async fn an_unchanged_resource_is_answered_304_compressed_or_not() {
    let server = sample::server(&tokens());
    let plain = get(&server, &note(), &[]).await;
    let tag = plain.header("etag").unwrap();
    assert!(plain.status == 200 && tag.starts_with("\"7."), "the version and a digest: {tag}");
    let bare = tag.trim_matches('"');
    let zipped_tag = format!("\"{bare}-gzip\"");
    let zipped = get(&server, &note(), &[("accept-encoding", "gzip")]).await;
    assert_eq!((zipped.header("content-encoding"), zipped.header("etag")), (Some("gzip"), Some(&*zipped_tag)));
    assert!(zipped.header("vary").unwrap().contains("Accept-Encoding"));
    for (seen, expected) in [
        (tag.to_owned(), tag),
        (format!("W/{tag}"), tag),
        (format!("\"1\", {zipped_tag}"), &zipped_tag),
        ("*".to_owned(), tag),
    ] {
        let again = get(&server, &note(), &[("if-none-match", &seen), ("accept-encoding", "gzip")]).await;
        assert_eq!((again.status.as_u16(), again.body.as_str()), (304, ""), "{seen}");
        assert_eq!((again.header("etag"), again.header("vary")), (Some(expected), Some("Accept-Encoding")), "{seen}");
    }
    for other in ["\"7\"", "\"8\""] {
        assert_eq!(get(&server, &note(), &[("if-none-match", other)]).await.status, 200, "{other}");
    }
    assert_eq!(
        get(&server, "/v1/notes", &[("accept-encoding", "gzip")]).await.header("content-encoding"),
        None,
        "it is too short to compress"
    );
}

#[tokio::test]
async fn a_write_with_a_stale_version_is_answered_412() {
    let tokens = tokens();
    let server = sample::server(&tokens);
    for (header, value, status) in [
        ("If-Match", "\"7\"", 200),
        ("If-Match", "\"7-br\"", 200),
        ("If-Match", "\"6\"", 412),
        ("If-Match", "W/\"7\"", 412),
        ("If-None-Match", "*", 412),
    ] {
        let request = server.put(note()).header("authorization", bearer(&tokens, "person")).header(header, value);
        let answer = Read::of(request.body_json(&json!({ "text": "x" })).send().await).await;
        assert_eq!(answer.status, status, "{header}: {value}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_body_is_refused_with_the_pointer_of_every_fault() {
    let tokens = tokens();
    let server = sample::server(&tokens);
    let request = server.post("/v1/notes").header("authorization", bearer(&tokens, "person"));
    let request = request.header("idempotency-key", "k").header("accept-language", "en");
    let answer = Read::of(request.body_json(&json!({ "text": "", "colour": "red" })).send().await).await;
    let problem = answer.assert_problem(422, "invalid_body", "two faults");
    let expected = json!([
        { "pointer": "/colour", "code": "unknown", "message": "There is no such member" },
        { "pointer": "/text", "code": "too_short", "message": "At least 1 characters" },
    ]);
    assert_eq!(problem["errors"], expected);
}

#[tokio::test]
async fn an_endless_body_is_cut_off() {
    let tokens = tokens();
    let server = sample::server(&tokens);
    let request = server.post("/v1/notes").header("authorization", bearer(&tokens, "person"));
    let request = request.header("idempotency-key", "k").content_type("application/json");
    let endless = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 64 * 1024]));
    let answer = Read::of(request.body(Body::from_bytes_stream(endless)).send().await).await;
    answer.assert_problem(413, "body_too_large", "endless");
}

#[tokio::test]
async fn a_replayed_answer_has_a_header_that_says_so() {
    let tokens = tokens();
    let server = sample::server(&tokens);
    for (key, replayed) in [("first", None), ("again", Some("true"))] {
        let request = server.post("/v1/notes").header("authorization", bearer(&tokens, "person"));
        let request = request.header("idempotency-key", key).body_json(&json!({ "text": "x" }));
        let answer = Read::of(request.send().await).await;
        assert_eq!((answer.status.as_u16(), answer.header("idempotent-replayed")), (201, replayed));
        assert_eq!(answer.header("location"), Some("/v1/notes/drf_1"));
    }
}

#[tokio::test]
async fn a_caller_of_the_wrong_kind_or_scope_is_refused() {
    let tokens = tokens();
    let server = sample::server(&tokens);
    let fail = |scheme: &str| server.get("/v1/failure").header("authorization", bearer(&tokens, scheme)).send();
    Read::of(fail("person").await).await.assert_problem(401, "invalid_token", "a person");
    let officer = Read::of(fail("officer").await).await;
    officer.assert_problem(403, "forbidden", "an officer");
    assert!(officer.header("www-authenticate").unwrap().contains("insufficient_scope"));
    let request = server.delete(note()).header("authorization", bearer(&tokens, "client")).header("if-match", "*");
    Read::of(request.send().await).await.assert_problem(403, "forbidden", "a client without the scope");
}

#[tokio::test]
async fn a_panic_is_answered_500_without_its_message() {
    let tokens = tokens();
    let server = sample::server(&tokens);
    let request = server.get("/v1/failure").header("authorization", bearer(&tokens, "operator"));
    let answer = Read::of(request.send().await).await;
    answer.assert_problem(500, "internal", "a panic");
    assert!(!answer.body.contains("secret"));
}

#[tokio::test]
async fn an_unknown_path_or_a_malformed_id_is_answered_404() {
    let server = sample::server(&tokens());
    for path in ["/", "/nowhere", "/v1/nowhere"] {
        let problem = get(&server, path, &[]).await.assert_problem(404, "not_found", path);
        assert_eq!(problem.get("detail"), None, "{path}");
    }
    for path in ["/v1/notes/not-an-id", "/v1/notes/%FF", "/v1/notes/case_01KAQ8Y7G0E00800000000002A"] {
        let problem = get(&server, path, &[]).await.assert_problem(404, "not_found", path);
        assert_eq!(problem["detail"], "地址中的编号格式不正确", "{path}");
    }
    let answer = get(&server, "/v1/notes?limit=many", &[("accept-language", "en")]).await;
    let problem = answer.assert_problem(400, "invalid_parameter", "limit");
    assert_eq!(problem["detail"], "The parameter limit is not valid");
}

#[tokio::test]
async fn a_cursor_continues_its_own_list_only() {
    let server = sample::server(&tokens());
    let mut texts = Vec::new();
    let mut path = "/v1/notes?q=x&limit=2".to_owned();
    loop {
        let page = get(&server, &path, &[]).await.json();
        texts.extend(page["data"].as_array().unwrap().iter().map(|note| note["text"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        assert_eq!(page["has_more"], true);
        path = format!("/v1/notes?q=x&limit=2&cursor={cursor}");
        let elsewhere = format!("/v1/notes?q=y&cursor={cursor}");
        get(&server, &elsewhere, &[]).await.assert_problem(400, "invalid_cursor", "another filter");
    }
    assert_eq!(texts, ["x 1", "x 2", "x 3", "x 4", "x 5"]);
}

#[tokio::test]
async fn a_caller_over_the_rate_limit_learns_when_to_try_again() {
    let server =
        sample::server_with(&tokens(), &[("SONGDA_RATE_MOBILE", "2"), ("SONGDA_CORS_ORIGINS", "https://a.example")]);
    let origin = [("origin", "https://a.example")];
    for remaining in [1, 0] {
        let answer = get(&server, "/v1/notes", &origin).await;
        assert_eq!(answer.status, 200);
        assert!(answer.header("ratelimit").unwrap().starts_with(&format!("\"mobile\";r={remaining};t=")));
        assert_eq!(answer.header("ratelimit-policy"), Some("\"mobile\";q=2;w=60"));
    }
    let answer = get(&server, "/v1/notes", &origin).await;
    let problem = answer.assert_problem(429, "too_many_requests", "the third");
    assert_eq!((answer.header("retry-after"), &problem["retry_after"]), (Some("30"), &json!(30)));
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://a.example"), "a browser may read it");
}
