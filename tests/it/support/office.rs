//! A back-office system that reports decisions over the integration API. With it a test needs the fewest calls to cause
//! a message and a parcel.

use std::path::Path;

use serde_json::{Value, json};
use songda::demo::back_office::BackOffice;
use songda::demo::http::{Caller, Reply};
use songda::demo::mishap::Played;
use songda::demo::{fresh_key, fresh_phone};

use super::arrivals::Decided;
use super::desk::Desk;
use super::items::{AGENCIES, ITEM};

/// A registered system with an access token.
#[derive(Clone)]
pub struct Office {
    /// The name under which the system reports.
    pub source: String,
    /// The API, called with the system's token.
    pub api: Caller,
}

impl Office {
    /// Registers a system that is allowed to decide for [`AGENCIES`].
    pub async fn register(desk: &Desk) -> Self {
        let source = format!("it-{}", fresh_key()[..8].to_lowercase());
        let key = desk.folder.path_of(&format!("{source}.pem"));
        let add = ["clients", "add", "--source", &source, "--name", "测试系统", "--agencies", AGENCIES];
        let client = desk.songda(&[&add[..], &["--key-file", &key]].concat()).await.trim().to_owned();
        let token = BackOffice::token(&desk.api, &client, Path::new(&key)).await.unwrap();
        Self { source, api: desk.api.with_token(token) }
    }

    /// Returns the same system, which now calls another process that serves the same desk's API.
    pub fn at(&self, api: &Caller) -> Self {
        Self { source: self.source.clone(), api: api.with_token(self.api.token().unwrap()) }
    }

    /// Returns the path of the result with this reference.
    pub fn path(&self, reference: &str) -> String {
        format!("/integration/v1/results/{}/{reference}", self.source)
    }

    /// Puts a result under its `ref`. Returns an error if no answer comes.
    pub async fn try_put(&self, key: &str, result: &Value) -> Played<Reply> {
        let mut body = result.clone();
        let reference = body.as_object_mut().unwrap().remove("ref").unwrap();
        self.api.put(&self.path(reference.as_str().unwrap())).once(key).json(&body).answer().await
    }

    /// Puts a result under its `ref`.
    pub async fn put(&self, key: &str, result: &Value) -> Reply {
        self.try_put(key, result).await.unwrap()
    }

    /// Posts results as one batch.
    pub async fn post(&self, key: &str, results: &[Value]) -> Reply {
        let call = self.api.post("/integration/v1/result-batches").once(key);
        call.json(&json!({"results": results})).answer().await.unwrap()
    }

    /// Posts results as one batch, which must be accepted, and returns the verdict on each.
    pub async fn hand_in(&self, results: &[Value]) -> Vec<Value> {
        let reply = self.post(&fresh_key(), results).await;
        assert!(reply.status.is_success(), "{}", reply.body);
        reply.rows().unwrap().to_vec()
    }

    /// Hands in this many grants, each for a new applicant.
    pub async fn decide(&self, count: usize) -> Vec<Decided> {
        let phones: Vec<String> = (0..count).map(|_| fresh_phone()).collect();
        let results: Vec<Value> = phones.iter().map(|phone| result(phone)).collect();
        let verdicts = self.hand_in(&results).await;
        verdicts.iter().zip(phones).map(|(verdict, phone)| Decided::by_phone(number_of(verdict), phone)).collect()
    }
}

/// Hands in this many grants of a newly registered system, each for a new applicant.
pub async fn decide(desk: &Desk, count: usize) -> Vec<Decided> {
    Office::register(desk).await.decide(count).await
}

/// Returns the number of the case that a decision opened.
pub fn number_of(verdict: &Value) -> String {
    verdict["number"].as_str().unwrap_or_else(|| panic!("not accepted: {verdict}")).to_owned()
}

/// Returns a reported grant of [`ITEM`] whose result goes by post.
pub fn result(phone: &str) -> Value {
    json!({
        "ref": fresh_key(),
        "item_code": ITEM,
        "applicant": {"phone": phone, "name": "王小明"},
        "outcome": "grant",
        "reasons": "",
        "result": {"title": "居住证", "number": "IT-0001"},
        "decided_at": "2026-11-20T09:00:00+08:00",
        "delivery": {
            "way": "courier",
            "recipient": {"name": "王小明", "phone": phone, "region": "320413", "detail": "西城街道清风路1号"},
        },
    })
}

/// Returns a reported grant for a new applicant, with the value at a JSON pointer replaced.
pub fn result_with(pointer: &str, value: Value) -> Value {
    let mut result = result(&fresh_phone());
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    result.pointer_mut(parent).unwrap()[member] = value;
    result
}
