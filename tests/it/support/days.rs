//! A desk (a test's own installation) on which the test sets the date.

use std::sync::{Arc, Mutex};

use songda::demo::form::Applicant;
use songda::demo::fresh_key;
use songda::demo::http::Caller;
use songda::demo::resident::Resident;
use songda::domain::kernel::clock::{Clock, Instant};

use super::desk::Desk;
use super::journey::electronic;

const APPLICANT: Applicant =
    Applicant { name: "王小明", resident_id: "320422198506150024", phone: "13800138000", home: "清风路1号" };

/// A desk without a worker. Its clock shows the time that the test sets. Its calendar has only the years whose working
/// days the government has announced, so it ends with 2026.
pub struct Days {
    pub desk: Desk,
    now: Arc<Mutex<Instant>>,
    clock: Clock,
    name: String,
}

impl Days {
    pub async fn begin(at: &str) -> Self {
        let now = Arc::new(Mutex::new(at.parse::<Instant>().unwrap()));
        let clock = Clock::told({
            let now = Arc::clone(&now);
            move || *now.lock().unwrap()
        });
        let mut desk = Desk::builder().in_2026(&clock).without_worker().open().await;
        desk.leave_jobs();
        Self { desk, now, clock, name: format!("wx-{}", fresh_key()) }
    }

    pub fn go_to(&self, at: &str) {
        *self.now.lock().unwrap() = at.parse().unwrap();
    }

    /// Signs in the applicant, who is always the same person. A new sign-in is needed, because a token lives for
    /// minutes and a WeChat code works once.
    pub async fn resident(&self) -> Resident {
        let code = format!("{}.{}", self.name, fresh_key());
        let mut resident = Resident::by_wechat(&self.desk.api, &code, APPLICANT).await.unwrap();
        resident.clock = self.clock.clone();
        resident.prove_identity().await.unwrap();
        resident
    }

    /// Signs in the officer of an agency. Each call makes a new session, because a token lives for minutes.
    pub async fn officer(&self, agency: &str) -> Caller {
        self.desk.officer(agency).await.caller().clone()
    }

    /// Submits an application for an item, and returns the case's id.
    pub async fn submit(&self, item: &str) -> String {
        let resident = self.resident().await;
        let draft = resident.draft(item, &electronic()).await.unwrap();
        resident.submit(&draft).await.unwrap().id
    }
}
