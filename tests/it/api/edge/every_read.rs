//! Calls every read operation of every OpenAPI document as a caller who owns the resources: with and without
//! compression, with `If-None-Match`, and page by page.

use std::collections::BTreeSet;

use serde_json::Value;
use songda::api::documents::documents;
use songda::demo::http::{Call, Caller, Reply};

use super::populated::Populated;
use crate::support::items::ITEM;

/// Answers of at least this many bytes are compressed.
const WORTH_COMPRESSING: usize = 1024;

#[tokio::test]
async fn every_read_is_compressed_conditional_and_paged_and_every_act_with_a_key_is_done_once() {
    let populated = Populated::new().await;
    let mut keyed = BTreeSet::new();
    for document in documents().unwrap() {
        for (path, methods) in document.value["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                if has_parameter(operation, "Idempotency-Key") {
                    keyed.insert(format!("{} {path}", method.to_uppercase()));
                }
                if method == "get" && operation["responses"]["200"]["content"].get("text/event-stream").is_none() {
                    Visit::of(&populated, path, operation).await.walk().await;
                }
            }
        }
    }
    let done: BTreeSet<String> = populated.done.iter().map(|&operation| operation.to_owned()).collect();
    assert_eq!(done, keyed, "each operation that takes a key is repeated in `populated.rs`");
    populated.desk.close().await;
}

fn has_parameter(operation: &Value, name: &str) -> bool {
    operation["parameters"].as_array().into_iter().flatten().any(|parameter| parameter["name"] == name)
}

/// A read operation, and a caller who owns the resources.
struct Visit<'a> {
    caller: &'a Caller,
    path: String,
    query: Vec<(&'static str, &'static str)>,
    operation: &'a Value,
}

impl<'a> Visit<'a> {
    async fn of(populated: &'a Populated, path: &str, operation: &'a Value) -> Self {
        let caller = match operation["security"][0].as_object().and_then(|scheme| scheme.keys().next()) {
            None => &populated.desk.api,
            Some(scheme) => match scheme.as_str() {
                "person" => populated.resident.caller(),
                "officer" => populated.officer.caller(),
                "operator" => &populated.operator,
                "client" => &populated.office.api,
                other => panic!("no such scheme: {other}"),
            },
        };
        let query = match path {
            "/staff/v1/parcels" => vec![("state", "ordered")],
            "/ops/v1/jobs" => vec![("state", "done")],
            _ => vec![],
        };
        Self { caller, path: filled(populated, path).await, query, operation }
    }

    fn get(&self, more: &[(&str, &str)]) -> Call {
        self.caller.get(&self.path).query(&self.query).query(more)
    }

    async fn walk(&self) {
        let plain = self.get(&[]).header("accept-encoding", "identity").success().await.unwrap();
        let zipped = self.get(&[]).header("accept-encoding", "gzip").success().await.unwrap();
        self.is_compressed_if_it_is_long(&plain, &zipped);
        if self.operation["responses"].get("304").is_some() {
            self.is_not_sent_twice(&[plain.etag(), zipped.etag()]).await;
        }
        match (has_parameter(self.operation, "cursor"), has_parameter(self.operation, "limit")) {
            (true, true) => self.is_paged().await,
            (true, false) => {
                let cursor = plain.text("/next_cursor").unwrap();
                self.get(&[("cursor", &cursor)]).success().await.unwrap();
            }
            (false, _) => {}
        }
    }

    fn is_compressed_if_it_is_long(&self, plain: &Reply, zipped: &Reply) {
        const GZIP: [u8; 2] = [0x1f, 0x8b];
        let is_long = plain.header("content-type").contains("json") && plain.bytes.len() >= WORTH_COMPRESSING;
        let coding = if is_long { "gzip" } else { "" };
        assert_eq!(
            (plain.header("content-encoding"), zipped.header("content-encoding")),
            ("", coding),
            "{}",
            self.path
        );
        if !is_long {
            return;
        }
        for answer in [plain, zipped] {
            let varies = answer.headers.get_all("vary").iter().any(|value| value == "Accept-Encoding");
            assert!(varies, "{}: {:?}", self.path, answer.headers);
        }
        // A gzip file ends with its length before compression (RFC 1952 §2.3.1).
        let (body, length) = zipped.bytes.split_at(zipped.bytes.len() - 4);
        assert!(body.starts_with(&GZIP) && zipped.bytes.len() < plain.bytes.len(), "{}", self.path);
        let renamed = format!("{}-gzip\"", plain.etag().trim_end_matches('"'));
        assert!(plain.etag().is_empty() || zipped.etag() == renamed, "{}: another representation", self.path);
        let length = u32::from_le_bytes(length.try_into().unwrap());
        assert_eq!(usize::try_from(length).unwrap(), plain.bytes.len(), "{}", self.path);
    }

    /// Asserts that a request with the ETag of the plain body or of the compressed body is answered 304.
    async fn is_not_sent_twice(&self, tags: &[&str]) {
        for tag in tags {
            assert!(!tag.is_empty(), "{}: no ETag", self.path);
            let again = self.get(&[]).header("if-none-match", tag).answer().await.unwrap();
            assert_eq!((again.status.as_u16(), again.bytes.len()), (304, 0), "{} {tag}", self.path);
        }
    }

    /// Asserts that two pages of one row are the same as one page of two rows.
    async fn is_paged(&self) {
        let rows = |page: &Reply| page.rows().unwrap().to_vec();
        let whole = self.get(&[("limit", "2")]).success().await.unwrap();
        let first = self.get(&[("limit", "1")]).success().await.unwrap();
        let cursor = first.text("/next_cursor").unwrap_or_else(|_| panic!("{}: one page of {}", self.path, whole.body));
        let second = self.get(&[("limit", "1"), ("cursor", &cursor)]).success().await.unwrap();
        assert_eq!([rows(&first), rows(&second)].concat(), rows(&whole), "{}", self.path);
        assert_eq!(rows(&whole).len(), 2, "{}", self.path);
    }
}

/// Fills a path with ids of existing resources.
async fn filled(populated: &Populated, path: &str) -> String {
    let id = match path {
        _ if path.starts_with("/v1/addresses/") => populated.address.clone(),
        _ if path.starts_with("/v1/drafts/") => populated.draft.clone(),
        _ if path.starts_with("/v1/uploads/") => populated.upload.clone(),
        _ if path.contains("/cases/") => populated.case.clone(),
        _ if path.contains("/parcels/") => {
            let parcels = populated.officer.parcels(&populated.case).await.unwrap();
            parcels.last().unwrap()["id"].as_str().unwrap().to_owned()
        }
        _ if path.contains("/jobs/") => {
            let jobs = populated.operator.get("/ops/v1/jobs").query(&[("state", "done")]).success().await.unwrap();
            jobs.text("/data/0/id").unwrap()
        }
        _ => String::new(),
    };
    let path = path.replace("{id}", &id).replace("{code}", ITEM);
    let path = path.replace("{source}", &populated.office.source).replace("{reference}", &populated.reference);
    if !path.contains("{upload}") {
        return path;
    }
    let file = populated.officer.caller().get(&format!("/staff/v1/cases/{}", populated.case)).success().await.unwrap();
    let upload = file.text("/application/materials/0/uploads/0").unwrap_or_else(|_| panic!("{}", file.body));
    path.replace("{upload}", &upload)
}
