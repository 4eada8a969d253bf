//! The first ledger: what clients were told. Only this counts as a promise to them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};

/// A decision that a client was told to be taken.
#[derive(Debug, Clone)]
pub struct Told {
    /// The case's number, by which it was told.
    pub number: String,
    /// The applicant's phone.
    pub phone: String,
    /// Their name at WeChat, if they have one.
    pub openid: Option<String>,
    /// Who brings the result, if it is to be brought.
    pub carrier: Option<&'static str>,
}

/// A file that somebody was told to be kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Whose it is: which of those who apply.
    pub owner: usize,
    /// The upload's id.
    pub upload: String,
    /// What they were told that its content is.
    pub sha256: String,
}

impl Kept {
    /// Whether this is its content.
    pub fn is(&self, content: &[u8]) -> bool {
        self.sha256 == hex::encode(digest(&SHA256, content))
    }
}

/// What clients were told.
#[derive(Default)]
pub struct Ledger {
    decisions: Mutex<BTreeMap<String, Told>>,
    files: Mutex<Vec<Kept>>,
    wrong: Mutex<Vec<String>>,
    repeated: AtomicU64,
}

impl Ledger {
    /// A decision was taken, under the reference that the client gave it. Told again, it must be the same.
    pub fn taken(&self, reference: &str, told: Told) {
        let mut decisions = self.decisions.lock().unwrap();
        let number = told.number.clone();
        let known = decisions.entry(reference.to_owned()).or_insert(told);
        if known.number != number {
            let first = known.number.clone();
            drop(decisions);
            self.wrong(format!("{reference} was told to be case {first}, and then to be case {number}"));
        }
    }

    /// A file was taken.
    pub fn kept(&self, file: Kept) {
        self.files.lock().unwrap().push(file);
    }

    /// Somebody was told what they never should be.
    pub fn wrong(&self, what: String) {
        self.wrong.lock().unwrap().push(what);
    }

    /// An answer did not come, or put the client off: it asks again.
    pub fn repeat(&self) {
        self.repeated.fetch_add(1, Ordering::Relaxed);
    }

    /// How often clients had to ask again.
    pub fn repeated(&self) -> u64 {
        self.repeated.load(Ordering::Relaxed)
    }

    /// How many decisions were taken.
    pub fn count(&self) -> usize {
        self.decisions.lock().unwrap().len()
    }

    /// The decisions, by reference.
    pub fn decisions(&self) -> BTreeMap<String, Told> {
        self.decisions.lock().unwrap().clone()
    }

    /// The files.
    pub fn files(&self) -> Vec<Kept> {
        self.files.lock().unwrap().clone()
    }

    /// What clients were told wrongly.
    pub fn wrongs(&self) -> Vec<String> {
        self.wrong.lock().unwrap().clone()
    }
}
