//! The pages beside the operations: documents, reference, problems, keys, health.

use serde_json::Value;
use songda::api::documents::documents;

use super::{Read, sample, server, tokens};

#[tokio::test]
async fn documents_are_served_with_an_etag() {
    let server = server(&tokens());
    for document in documents().unwrap() {
        let path = format!("/openapi/{}.json", document.about.file);
        let answer = Read::of(server.get(&path).send().await).await;
        assert_eq!(answer.body, document.text);
        let again = server.get(&path).header("if-none-match", answer.header("etag").unwrap()).send().await;
        assert_eq!(Read::of(again).await.status, 304);
    }
    Read::of(server.get("/openapi/other.json").send().await).await.is_problem(404, "not_found", "no such document");
}

#[tokio::test]
async fn the_reference_asks_nobody_else() {
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
async fn the_type_of_a_problem_leads_somewhere() {
    let server = server(&tokens());
    let all = Read::of(server.get("/problems").send().await).await.json();
    for problem in all["data"].as_array().unwrap() {
        let page = Read::of(server.get(problem["type"].as_str().unwrap()).send().await).await.json();
        assert_eq!(&page, problem);
        assert!(page["title"]["zh"].is_string() && page["title"]["en"].is_string());
    }
    Read::of(server.get("/problems/other").send().await).await.is_problem(404, "not_found", "no such code");
}

#[tokio::test]
async fn keys_and_health_are_there_for_all() {
    let tokens = tokens();
    let server = server(&tokens);
    assert_eq!(Read::of(server.get("/.well-known/jwks.json").send().await).await.json(), tokens.jwks());
    let health = Read::of(server.get("/healthz").send().await).await;
    assert_eq!((health.status.as_u16(), health.header("ratelimit")), (200, None));
    let wrong = Read::of(server.post("/healthz").send().await).await;
    wrong.is_problem(405, "method_not_allowed", "health");
    assert_eq!(wrong.header("allow"), Some("GET, HEAD"));
}

#[test]
fn a_document_tells_the_whole_shape() {
    let document = sample::document();
    let operation = |path: &str, method: &str| document["paths"][path][method].clone();
    let statuses = |operation: &Value| operation["responses"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let put = operation("/v1/notes/{id}", "put");
    let expected = ["200", "400", "401", "404", "409", "412", "413", "415", "422", "428", "429", "500", "503"];
    assert_eq!(statuses(&put), expected);
    let names: Vec<_> =
        put["parameters"].as_array().unwrap().iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["id", "If-Match", "If-None-Match"]);
    let show = operation("/v1/notes/{id}", "get");
    assert_eq!(statuses(&show), ["200", "304", "400", "404", "429", "500", "503"]);
    assert!(show.pointer("/responses/200/headers/ETag").is_some());
    let list = operation("/v1/notes", "get");
    let example = &list["responses"]["200"]["content"]["application/json"]["example"];
    assert_eq!(example["data"][0]["text"], "Bring the licence");
    assert_eq!(document["openapi"], "3.0.3");
    assert!(!document.to_string().contains("charset"));
}
