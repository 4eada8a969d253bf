//! PostgreSQL and Redis stop, crash and come back while decisions are made. Whoever asks meanwhile is told the truth, what
//! was taken arrives, what was not is taken when it is repeated, and no process of ours is started anew.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::Url;
use serde_json::Value;
use songda::demo::http::{Caller, Reply};
use songda::demo::{fresh_key, fresh_phone, wait};
use songda::store::{KeyRing, Store, StoreError};
use tokio::process::Child;
use tokio_util::sync::CancellationToken;

use crate::resilience::kills::QUICK;
use crate::support::desk::{Desk, PATIENCE, Server, wait_until};
use crate::support::office::{Accepted, Decided, KnownOffice, came_once, result};
use crate::support::proxy::{Line, Proxy};
use crate::support::servers::{Own, Servers};

#[tokio::test]
async fn postgresql_stops_and_crashes_and_comes_back() {
    let mut own = Own::postgres("test-outage-of-postgresql").await;
    let office = Office::open(&own).await;
    let Office { desk, server, clerk, .. } = &office;
    let (accepted, key) = (Accepted::on(desk).await, fresh_key());
    let officer = desk.officer_at(&server.api, Accepted::AGENCY).await;
    let grant = async || accepted.grant(officer.caller(), &key).await.unwrap();

    let trouble = async {
        for mode in ["fast", "immediate"] {
            clerk.some_are_taken().await;
            own.order(&format!("stop postgres {mode}")).await;
            let (ready, granted) = tokio::join!(server.api.get("/readyz").answer(), grant());
            is_put_off(&ready.unwrap());
            is_put_off(&granted);
            own.order("start postgres").await;
        }
        clerk.some_are_taken().await;
        clerk.go_home();
    };
    tokio::join!(clerk.work(), trouble);
    assert!(clerk.put_off.load(Ordering::Relaxed) > 0, "some had to be repeated");

    let (first, again) = (grant().await, grant().await);
    assert_eq!((first.status.as_u16(), first.header("idempotent-replayed")), (200, ""), "{}", first.body);
    assert_eq!((&again.body, again.header("idempotent-replayed")), (&first.body, "true"));
    office.close(Some(accepted.decided())).await;
    own.close().await;
}

#[tokio::test]
async fn redis_is_killed_and_comes_back_with_old_data_and_with_none() {
    let mut own = Own::redis("test-outage-of-redis").await;
    let office = Office::open(&own).await;
    let clerk = &office.clerk;
    let trouble = async {
        for empty in [false, true] {
            clerk.some_are_taken().await;
            own.order("kill redis").await;
            clerk.some_are_taken().await;
            assert_eq!(office.status().await, "degraded");
            if empty {
                own.order("empty redis").await;
            }
            own.order("start redis").await;
            office.is_well().await;
        }
        clerk.some_are_taken().await;
        clerk.go_home();
    };
    tokio::join!(clerk.work(), trouble);
    assert_eq!(clerk.put_off.load(Ordering::Relaxed), 0, "nobody who asks meets the outage");
    office.close(None).await;
    own.close().await;
}

/// A connection may end in the middle of the handshake. That says nothing about what is in the database.
#[tokio::test]
async fn a_line_that_is_cut_is_an_outage() {
    let servers = Servers::shared();
    let line = Proxy::before(servers.places()[0]).await;
    line.set(Line::Cut);
    let mut url: Url = servers.database("songda").parse().unwrap();
    url.set_port(Some(line.address().port())).unwrap();
    let store = Store::new(url.as_str(), 1, "test", KeyRing::parse(KeyRing::fresh_file().expose()).unwrap()).unwrap();
    for _ in 0..10 {
        let asked = store.ping().await;
        assert!(matches!(asked, Err(StoreError::Unavailable(_))), "{asked:?}");
    }
}

/// The one honest answer of an API that cannot reach its database.
fn is_put_off(reply: &Reply) {
    assert_eq!(reply.status.as_u16(), 503, "{}", reply.body);
    assert_eq!(reply.header("content-type"), "application/problem+json");
    assert_eq!(reply.at("/code").unwrap(), "unavailable");
    assert!(reply.header("retry-after").parse::<u64>().is_ok(), "it says when to try again");
}

/// An API process, a worker process, and a clerk who decides.
pub struct Office {
    /// Where they work.
    pub desk: Desk,
    /// The API.
    pub server: Server,
    worker: Child,
    /// The clerk.
    pub clerk: Clerk,
}

impl Office {
    /// On servers of the test's own.
    pub async fn open(own: &Own) -> Self {
        let desk = Desk::open_idle_on(&own.servers, &QUICK).await;
        let (server, worker) = (desk.server(None).await, desk.worker(None));
        let clerk = Clerk::new(&desk, &server).await;
        Self { desk, server, worker, clerk }
    }

    /// How the API finds itself: `ok`, or `degraded` while Redis is away or a part of it.
    pub async fn status(&self) -> String {
        self.server.api.get("/readyz").success().await.unwrap().text("/status").unwrap()
    }

    /// Waits until all of Redis is found again.
    pub async fn is_well(&self) {
        wait_until("Redis is found again", async || self.status().await == "ok").await;
    }

    /// Everything that was taken came, once; nothing else did; and both processes are still the first ones.
    pub async fn close(mut self, other: Option<Decided>) {
        let decided: Vec<Decided> = self.clerk.taken.into_inner().unwrap().into_iter().chain(other).collect();
        came_once(&self.desk, &decided).await;
        let cases: i64 = sqlx::query_scalar("select count(*) from cases").fetch_one(&self.desk.database).await.unwrap();
        assert_eq!(usize::try_from(cases).unwrap(), decided.len(), "no case that nobody was answered for");
        for process in [&mut self.server.process, &mut self.worker] {
            assert_eq!(process.try_wait().unwrap(), None, "it outlived the outages");
        }
        self.desk.close().await;
    }
}

/// Hands in one decision after another, and repeats each until it is taken.
pub struct Clerk {
    api: Caller,
    source: String,
    /// Those that were taken.
    pub taken: Mutex<Vec<Decided>>,
    /// How often one was put off.
    pub put_off: AtomicUsize,
    goes_home: CancellationToken,
}

impl Clerk {
    /// At an API.
    pub async fn new(desk: &Desk, server: &Server) -> Self {
        let office = KnownOffice::new(desk).await;
        let (api, goes_home) = (server.api.with_token(office.token(desk).await), CancellationToken::new());
        Self { api, source: office.source, taken: Mutex::default(), put_off: AtomicUsize::new(0), goes_home }
    }

    /// With both hands, until told to go home.
    pub async fn work(&self) {
        let hand = async || {
            while !self.goes_home.is_cancelled() {
                self.hand_in().await;
            }
        };
        tokio::join!(hand(), hand());
    }

    async fn hand_in(&self) {
        let (phone, key) = (fresh_phone(), fresh_key());
        let mut decision = result(&phone);
        let Some(Value::String(reference)) = decision.as_object_mut().unwrap().remove("ref") else { unreachable!() };
        let path = format!("/integration/v1/results/{}/{reference}", self.source);
        let ask = async || {
            let reply = self.api.put(&path).once(&key).json(&decision).answer().await?;
            if reply.status.is_success() {
                return Ok(Some(reply.text("/number")?));
            }
            is_put_off(&reply);
            self.put_off.fetch_add(1, Ordering::Relaxed);
            Ok(None)
        };
        let number = wait::until("the decision is taken", PATIENCE, ask).await.unwrap();
        self.taken.lock().unwrap().push(Decided::by_phone(number, phone));
    }

    /// Waits until more were taken.
    pub async fn some_are_taken(&self) {
        let count = || self.taken.lock().unwrap().len();
        let enough = count() + 10;
        wait_until("decisions are taken", async || count() >= enough).await;
    }

    /// Lets the work end.
    pub fn go_home(&self) {
        self.goes_home.cancel();
    }
}
