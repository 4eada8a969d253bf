//! Load during an outage: a clerk who reports decisions one after another, and an installation that must survive.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use songda::demo::http::Reply;
use songda::demo::{fresh_key, fresh_phone, wait};
use tokio::process::Child;
use tokio_util::sync::CancellationToken;

use super::answers::assert_problem;
use super::arrivals::{Decided, assert_arrived_once};
use super::desk::Desk;
use super::office::{Office, result};
use super::process::Server;
use super::servers::Own;
use super::settings::QUICK;
use super::wait::{TIMEOUT, wait_until};

/// Reports one decision after another, and repeats each until it is accepted.
pub struct Clerk {
    office: Office,
    /// The decisions that were accepted.
    pub accepted: Mutex<Vec<Decided>>,
    /// How many requests were answered 503.
    pub unavailable: AtomicUsize,
    stop: CancellationToken,
}

impl Clerk {
    /// Registers a back-office system. Returns a clerk of that system who calls this server.
    pub async fn at(desk: &Desk, server: &Server) -> Self {
        let office = Office::register(desk).await.at(&server.api);
        let stop = CancellationToken::new();
        Self { office, accepted: Mutex::default(), unavailable: AtomicUsize::new(0), stop }
    }

    /// Reports decisions, with two requests open at a time, until [`Self::stop`].
    pub async fn work(&self) {
        let hand = async || {
            while !self.stop.is_cancelled() {
                self.report().await;
            }
        };
        tokio::join!(hand(), hand());
    }

    async fn report(&self) {
        let phone = fresh_phone();
        let key = fresh_key();
        let decision = result(&phone);
        let ask = async || {
            let reply = self.office.try_put(&key, &decision).await?;
            if reply.status.is_success() {
                return Ok(Some(reply.text("/number")?));
            }
            assert_unavailable(&reply);
            self.unavailable.fetch_add(1, Ordering::Relaxed);
            Ok(None)
        };
        let number = wait::until("the decision is accepted", TIMEOUT, ask).await.unwrap();
        self.accepted.lock().unwrap().push(Decided::by_phone(number, phone));
    }

    /// Waits until ten more decisions are accepted.
    pub async fn some_are_accepted(&self) {
        let count = || self.accepted.lock().unwrap().len();
        let enough = count() + 10;
        wait_until("decisions are accepted", async || count() >= enough).await;
    }

    /// Ends [`Self::work`] after the requests under way.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}

/// Asserts that an answer is a 503 that says when to try again. An API that cannot reach its database must answer so.
pub fn assert_unavailable(reply: &Reply) {
    assert_problem(reply, 503, "unavailable");
    assert_eq!(reply.header("content-type"), "application/problem+json");
    assert!(reply.header("retry-after").parse::<u64>().is_ok(), "it says when to try again");
}

/// An API process, a worker process, and a clerk.
pub struct Installation {
    pub desk: Desk,
    pub server: Server,
    worker: Child,
    pub clerk: Clerk,
}

impl Installation {
    /// Starts the processes on the test's own servers.
    pub async fn start(own: &Own) -> Self {
        let desk = Desk::builder().on(&own.servers).settings(&QUICK).without_worker().open().await;
        let server = desk.server().await;
        let worker = desk.worker();
        let clerk = Clerk::at(&desk, &server).await;
        Self { desk, server, worker, clerk }
    }

    /// Returns the API's own readiness: `ok`, or `degraded` while Redis or a part of it is away.
    async fn status(&self) -> String {
        self.server.api.get("/readyz").success().await.unwrap().text("/status").unwrap()
    }

    /// Waits until the API notices that Redis or a part of it is away. It remembers for a second that all was well.
    pub async fn is_degraded(&self) {
        wait_until("the API notices that Redis is away", async || self.status().await == "degraded").await;
    }

    /// Waits until the API reaches all of Redis again.
    pub async fn is_ready(&self) {
        wait_until("Redis is reached again", async || self.status().await == "ok").await;
    }

    /// Asserts that every accepted decision arrived once, that there are no other cases, and that neither process has
    /// ended. `other` is one more accepted decision, which the clerk did not report.
    pub async fn close(mut self, other: Option<Decided>) {
        let decided: Vec<Decided> = self.clerk.accepted.into_inner().unwrap().into_iter().chain(other).collect();
        assert_arrived_once(&self.desk, &decided).await;
        let cases = self.desk.count("select count(*) from cases").await;
        assert_eq!(usize::try_from(cases).unwrap(), decided.len(), "every case has a client that got its answer");
        for process in [&mut self.server.process, &mut self.worker] {
            assert_eq!(process.try_wait().unwrap(), None, "the process survived");
        }
        self.desk.close().await;
    }
}
