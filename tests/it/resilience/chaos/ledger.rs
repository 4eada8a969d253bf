//! The first ledger: what the API promised to clients. An answer counts as a promise only if the client received it.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};

/// An accepted decision.
#[derive(Debug, Clone)]
pub struct Promise {
    /// The case's number in the answer.
    pub number: String,
    /// The applicant's phone.
    pub phone: String,
    /// WeChat's id of the applicant, if the message can go over WeChat.
    pub openid: Option<String>,
    /// The carrier of the result, if it goes by courier.
    pub carrier: Option<&'static str>,
}

/// An upload that was answered as stored.
#[derive(Debug, Clone)]
pub struct StoredFile {
    /// The number of the resident who uploaded it.
    pub owner: usize,
    pub upload: String,
    /// The digest in the answer.
    pub sha256: String,
}

impl StoredFile {
    /// True if the file has this content.
    pub fn is(&self, content: &[u8]) -> bool {
        self.sha256 == hex::encode(digest(&SHA256, content))
    }
}

#[derive(Default)]
pub struct Ledger {
    promises: Mutex<BTreeMap<String, Promise>>,
    files: Mutex<Vec<StoredFile>>,
    wrong: Mutex<Vec<String>>,
    repeated: AtomicU64,
}

impl Ledger {
    /// Records a promise under the client's reference. If the promise is repeated, it must name the same case.
    pub fn promised(&self, reference: &str, promise: Promise) {
        let mut promises = self.promises.lock().unwrap();
        let number = promise.number.clone();
        let known = promises.entry(reference.to_owned()).or_insert(promise);
        if known.number != number {
            let first = known.number.clone();
            drop(promises);
            self.wrong(format!("{reference} was promised as case {first}, and then as case {number}"));
        }
    }

    pub fn stored(&self, file: StoredFile) {
        self.files.lock().unwrap().push(file);
    }

    /// Records an answer that no client should get.
    pub fn wrong(&self, what: String) {
        self.wrong.lock().unwrap().push(what);
    }

    /// Counts a request that a client has to repeat.
    pub fn repeat(&self) {
        self.repeated.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns how many requests clients had to repeat.
    pub fn repeated(&self) -> u64 {
        self.repeated.load(Ordering::Relaxed)
    }

    /// Returns how many promises the API gave.
    pub fn count(&self) -> usize {
        self.promises.lock().unwrap().len()
    }

    /// Returns the promises by reference.
    pub fn promises(&self) -> BTreeMap<String, Promise> {
        self.promises.lock().unwrap().clone()
    }

    pub fn files(&self) -> Vec<StoredFile> {
        self.files.lock().unwrap().clone()
    }

    /// Returns the answers that no client should get.
    pub fn wrongs(&self) -> Vec<String> {
        self.wrong.lock().unwrap().clone()
    }
}
