//! The OpenAPI document that is generated from the handlers of a sample API lists all statuses, parameters, headers and
//! examples. And a rule for all documents: no operation takes or answers XML.

use std::fs;

use serde_json::Value;

use super::layers::rust_files;
use crate::api::edge::sample;

#[test]
fn a_document_lists_every_status_parameter_header_and_example() {
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

/// poem and poem-openapi bring an old XML parser with known weaknesses, which cannot be switched off (deny.toml). It reads a
/// body only if an operation takes XML. Carriers' callbacks in XML are read by another parser.
#[test]
fn no_operation_takes_or_answers_xml() {
    let documents = fs::read_dir("openapi").unwrap().map(|entry| entry.unwrap().path());
    for document in documents.filter(|path| path.extension().is_some_and(|extension| extension == "json")) {
        let text = fs::read_to_string(&document).unwrap().to_ascii_lowercase();
        assert!(!text.contains("/xml") && !text.contains("+xml"), "{}", document.display());
    }
    for file in rust_files("src") {
        let text = fs::read_to_string(&file).unwrap();
        for payload in ["payload::Xml", "web::Xml", "Xml<", "Xml("] {
            assert!(!text.contains(payload), "{} uses {payload}", file.display());
        }
    }
}
