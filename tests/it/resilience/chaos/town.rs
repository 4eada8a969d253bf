//! The town in which it all takes place: two APIs behind a balancer, three workers, a PostgreSQL, a Redis and the
//! sandbox, all of them processes; and every line between a process of ours and what it talks to leads through a proxy.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use songda::demo::http::Caller;
use songda::demo::sandbox::SandboxClient;
use songda::lifecycle::Tasks;
use songda::registry::Registry;
use songda::sandbox::SandboxSettings;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::process::Child;

use super::lines::{Lines, Places, rewired};
use super::plan::Plan;
use super::process::{Blueprint, Kept};
use super::tally::Tally;
use crate::support::database::Database;
use crate::support::desk::{settings_beside, songda, wait_at_most};
use crate::support::folder::Folder;
use crate::support::proxy::Proxy;
use crate::support::servers::Own;
use crate::support::template::fresh_database;

const APIS: usize = 2;
const WORKERS: usize = 3;

/// What all processes are told: nobody is slowed down on purpose, and logs stay readable.
const ALIKE: [(&str, &str); 9] = [
    ("SONGDA_LOG", "warn,songda::app=info"),
    ("SONGDA_LOG_PLAIN", "true"),
    ("SONGDA_DATABASE_CONNECTIONS", "12"),
    ("SONGDA_RATE_SIGN_IN", "1000000"),
    ("SONGDA_RATE_MOBILE", "1000000"),
    ("SONGDA_RATE_STAFF", "1000000"),
    ("SONGDA_SANDBOX_SF_RATE", "1000"),
    ("SONGDA_SANDBOX_STEP", "2s"),
    ("SONGDA_SANDBOX_TIME_SCALE", "10"),
];

/// Everything that there is.
pub struct Town {
    /// Those who serve.
    pub apis: Vec<Kept>,
    /// Those who work.
    pub workers: Vec<Kept>,
    /// The lines of each process, in this order; the last are those of processes that are started to die.
    pub lines: Vec<Lines>,
    /// Before the APIs: where clients and gateways find the product.
    pub balancer: Proxy,
    /// The way to it.
    pub api: Caller,
    /// The gateways' twin: the ledger of phones and carriers. Nothing is ever done to it.
    pub sandbox: SandboxClient,
    /// The same, for orders.
    pub control: Caller,
    /// PostgreSQL, to look at.
    pub database: PgPool,
    /// Redis, for orders.
    pub redis: redis::Client,
    /// What was done so far.
    pub tally: Tally,
    /// What processes did that nobody ordered.
    pub surprises: Arc<Mutex<Vec<String>>>,
    /// Where processes and reports are kept.
    pub home: PathBuf,
    /// What they keep on a disk.
    pub folder: Folder,
    /// The servers, to be stopped and killed.
    pub own: tokio::sync::Mutex<Own>,
    doomed: [Blueprint; 2],
    settings: Vec<(String, String)>,
    own_database: Database,
    _sandbox: Child,
    tasks: Tasks,
}

impl Town {
    /// Builds it, and waits until it is open.
    pub async fn build(plan: &Plan) -> Self {
        let (own, home) = (Own::both(plan.name).await, fresh_home(plan.name));
        let (own_database, folder) = (fresh_database(&own.servers).await, Folder::create());
        let places = Places::free(APIS + 1).await;
        let lines = Lines::lay(APIS + WORKERS + 1, own.servers.places(), places.sandbox).await;
        let balancer = Proxy::among(places.apis.clone()).await;
        let public = format!("http://{}", balancer.address());
        let settings = settings(plan, (&own_database, &folder), &places, &public).await;
        let drawing = Drawing { settings: &settings, logs: &home };
        let (tasks, surprises) = (Tasks::new(), Arc::default());
        let keep = |blueprint| Kept::start(blueprint, &tasks, Arc::clone(&surprises));
        let api = |at: usize| drawing.api(&format!("api-{at}"), &lines[at], places.apis[at]);
        let worker = |at: usize| drawing.worker(&format!("worker-{at}"), &lines[APIS + at]);
        let last = &lines[APIS + WORKERS];
        let control = Caller::new(format!("http://{}", places.sandbox).parse().unwrap()).unwrap();
        let town = Self {
            apis: (0..APIS).map(|at| keep(api(at))).collect(),
            workers: (0..WORKERS).map(|at| keep(worker(at))).collect(),
            doomed: [drawing.api("doomed-api", last, places.apis[APIS]), drawing.worker("doomed-worker", last)],
            _sandbox: drawing.sandbox().start(&[]),
            api: Caller::new(public.parse().unwrap()).unwrap(),
            sandbox: SandboxClient::new(control.base().clone()).unwrap(),
            database: looking(&own_database.url).await,
            redis: redis::Client::open(own.servers.redis()).unwrap(),
            tally: Tally::default(),
            own: tokio::sync::Mutex::new(own),
            lines,
            balancer,
            control,
            surprises,
            home,
            folder,
            settings,
            own_database,
            tasks,
        };
        town.is_open().await;
        town
    }

    async fn is_open(&self) {
        wait_at_most(Duration::from_secs(30), "the town is open", async || {
            self.control.get("/_sandbox/counters").success().await.is_ok()
                && self.api.get("/readyz").success().await.is_ok()
        })
        .await;
    }

    /// How a process is started that shall die: an API, or a worker.
    pub const fn doomed(&self, is_api: bool) -> &Blueprint {
        if is_api { &self.doomed[0] } else { &self.doomed[1] }
    }

    /// Runs a command of the program.
    pub async fn songda(&self, arguments: &[&str]) -> String {
        songda(arguments, &self.settings).await
    }

    /// Every process of the product that is kept running.
    pub fn processes(&self) -> impl Iterator<Item = &Kept> {
        self.apis.iter().chain(&self.workers)
    }

    /// Keeps PostgreSQL's log beside those of the processes.
    pub fn keep_logs(&self, plan: &Plan) {
        let log = Path::new(env!("CARGO_MANIFEST_DIR")).join("var").join(plan.name).join("postgres/log");
        fs::copy(log, self.home.join("postgres.log")).unwrap();
    }

    /// Pulls it down.
    pub async fn close(self) {
        self.tasks.stop(Duration::from_secs(10)).await;
        self.database.close().await;
        self.own_database.drop().await;
        self.own.into_inner().close().await;
    }
}

/// Draws the blueprints of processes.
struct Drawing<'a> {
    settings: &'a [(String, String)],
    logs: &'a Path,
}

impl Drawing<'_> {
    fn api(&self, name: &str, lines: &Lines, listen: SocketAddr) -> Blueprint {
        let mut blueprint = self.blueprint(name, "serve", rewired(self.settings, lines, &gateways()));
        blueprint.settings.push(("SONGDA_LISTEN".to_owned(), listen.to_string()));
        blueprint
    }

    fn worker(&self, name: &str, lines: &Lines) -> Blueprint {
        self.blueprint(name, "work", rewired(self.settings, lines, &gateways()))
    }

    fn sandbox(&self) -> Blueprint {
        self.blueprint("sandbox", "sandbox", self.settings.to_vec())
    }

    fn blueprint(&self, name: &str, part: &'static str, settings: Vec<(String, String)>) -> Blueprint {
        Blueprint { name: name.to_owned(), part, settings, logs: self.logs.to_owned() }
    }
}

/// The names of all gateways.
fn gateways() -> Vec<&'static str> {
    SandboxSettings::for_tests(Registry::shipped().twins()).twins.iter().map(|twin| twin.name()).collect()
}

/// What all processes are told.
async fn settings(
    plan: &Plan,
    (database, folder): (&Database, &Folder),
    places: &Places,
    public: &str,
) -> Vec<(String, String)> {
    let sandbox = SandboxSettings::for_tests(Registry::shipped().twins());
    let known = sandbox.client_settings(&format!("http://{}", places.sandbox));
    let listen = places.sandbox.to_string();
    let own =
        [("SONGDA_PUBLIC_URL", public), ("SONGDA_SANDBOX_CALLBACK_URL", public), ("SONGDA_SANDBOX_LISTEN", &listen)];
    settings_beside(database, folder, known, &[&own[..], &ALIKE, plan.settings].concat()).await
}

/// An empty folder under `target/chaos`.
fn fresh_home(name: &str) -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("chaos").join(name);
    if home.exists() {
        fs::remove_dir_all(&home).unwrap();
    }
    fs::create_dir_all(&home).unwrap();
    home
}

/// Connections that wait for PostgreSQL when it is away.
async fn looking(url: &str) -> PgPool {
    PgPoolOptions::new().max_connections(4).acquire_timeout(Duration::from_secs(60)).connect(url).await.unwrap()
}
