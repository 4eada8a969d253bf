//! The pages that are not operations of an API: the OpenAPI documents, the reference pages, the pages about problem
//! codes, the public keys and the health check.

use songda::api::documents::documents;

use super::server;
use crate::support::edge::{Read, tokens};

#[tokio::test]
async fn the_openapi_documents_are_served_with_an_etag() {
    let server = server(&tokens());
    for document in documents().unwrap() {
        let path = format!("/openapi/{}.json", document.about.file);
        let answer = Read::of(server.get(&path).send().await).await;
        assert_eq!(answer.body, document.text);
        let again = server.get(&path).header("if-none-match", answer.header("etag").unwrap()).send().await;
        assert_eq!(Read::of(again).await.status, 304);
    }
    Read::of(server.get("/openapi/other.json").send().await).await.assert_problem(404, "not_found", "no such document");
}

#[tokio::test]
async fn the_reference_page_loads_nothing_from_elsewhere() {
    let server = server(&tokens());
    for document in documents().unwrap() {
        let page = Read::of(server.get(format!("/reference/{}", document.about.file)).send().await).await;
        assert!(page.body.contains(document.about.title) && page.body.contains("load-fonts=\"false\""));
        assert!(
            !page.body.contains("http:") && !page.body.contains("https:") && !page.body.contains("//"),
            "{}",
            page.body
        );
        assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
    }
    let script = Read::of(server.get("/reference/rapidoc.js").send().await).await;
    assert!(script.body.len() > 100_000 && script.body.contains("RapiDoc"));
    for outside in ["fonts.gstatic.com", "fonts.googleapis.com", "unpkg.com", "jsdelivr.net"] {
        assert!(!script.body.contains(outside), "{outside}");
    }
}

#[tokio::test]
async fn the_type_of_every_problem_is_a_page() {
    let server = server(&tokens());
    let all = Read::of(server.get("/problems").send().await).await.json();
    for problem in all["data"].as_array().unwrap() {
        let page = Read::of(server.get(problem["type"].as_str().unwrap()).send().await).await.json();
        assert_eq!(&page, problem);
        assert!(page["title"]["zh"].is_string() && page["title"]["en"].is_string());
    }
    Read::of(server.get("/problems/other").send().await).await.assert_problem(404, "not_found", "no such code");
}

#[tokio::test]
async fn public_keys_and_health_need_no_token_and_have_no_rate_limit() {
    let tokens = tokens();
    let server = server(&tokens);
    assert_eq!(Read::of(server.get("/.well-known/jwks.json").send().await).await.json(), tokens.jwks());
    let health = Read::of(server.get("/healthz").send().await).await;
    assert_eq!((health.status.as_u16(), health.header("ratelimit")), (200, None));
    let wrong = Read::of(server.post("/healthz").send().await).await;
    wrong.assert_problem(405, "method_not_allowed", "health");
    assert_eq!(wrong.header("allow"), Some("GET, HEAD"));
}
