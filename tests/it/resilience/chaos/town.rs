//! The installation: two APIs behind a load balancer, three workers, a PostgreSQL, a Redis and the sandbox, all of them
//! processes. Every connection of an API or a worker goes through a proxy.

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

use super::plan::Plan;
use super::process::{Blueprint, Supervised};
use super::proxies::{Ports, Proxies, rewired};
use super::tally::Tally;
use crate::support::database::Database;
use crate::support::folder::Folder;
use crate::support::process::songda;
use crate::support::proxy::Proxy;
use crate::support::servers::Own;
use crate::support::settings::{Settings, desk_settings, owned};
use crate::support::template::fresh_database;
use crate::support::wait::wait_at_most;

const APIS: usize = 2;
const WORKERS: usize = 3;

/// Settings of all processes: no rate limits, and readable logs.
const SETTINGS: [(&str, &str); 13] = [
    ("SONGDA_LOG", "warn,songda::app=info"),
    ("SONGDA_LOG_PLAIN", "true"),
    ("SONGDA_DATABASE_CONNECTIONS", "12"),
    ("SONGDA_RATE_SIGN_IN", "1000000"),
    ("SONGDA_CODES_PER_IPV4_NETWORK", "1000000"),
    ("SONGDA_CODES_PER_DAY", "1000000"),
    ("SONGDA_IDENTITY_CHECKS_PER_IPV4_NETWORK", "1000000"),
    ("SONGDA_IDENTITY_CHECKS_PER_DAY", "1000000"),
    ("SONGDA_RATE_MOBILE", "1000000"),
    ("SONGDA_RATE_STAFF", "1000000"),
    ("SONGDA_SANDBOX_SF_RATE", "1000"),
    ("SONGDA_SANDBOX_STEP", "2s"),
    ("SONGDA_SANDBOX_TIME_SCALE", "10"),
];

pub struct Town {
    pub apis: Vec<Supervised>,
    pub workers: Vec<Supervised>,
    /// The proxies of the APIs, of the workers, and of the processes that are started to die.
    pub proxies: Vec<Proxies>,
    /// The load balancer, through which clients and gateways reach the APIs.
    pub balancer: Proxy,
    /// The API through the load balancer.
    pub api: Caller,
    /// A client of the sandbox, which reports what phones and carriers received. No trouble is made for the sandbox.
    pub sandbox: SandboxClient,
    /// The sandbox's control endpoints.
    pub control: Caller,
    pub database: PgPool,
    pub redis: redis::Client,
    /// The faults that struck so far.
    pub tally: Tally,
    /// Processes that ended although no order told them to.
    pub surprises: Arc<Mutex<Vec<String>>>,
    /// The folder of logs and of the report.
    pub home: PathBuf,
    /// The folder of the keys and the uploads.
    pub folder: Folder,
    pub own: tokio::sync::Mutex<Own>,
    doomed: [Blueprint; 2],
    settings: Vec<(String, String)>,
    own_database: Database,
    _sandbox: Child,
    tasks: Tasks,
}

impl Town {
    /// Starts everything, and waits until it is ready.
    pub async fn build(plan: &Plan) -> Self {
        let own = Own::both(plan.name).await;
        let home = fresh_home(plan.name);
        let own_database = fresh_database(&own.servers).await;
        let folder = Folder::create();
        let ports = Ports::free(APIS + 1).await;
        let proxies = Proxies::start(APIS + WORKERS + 1, own.servers.addresses(), ports.sandbox).await;
        let balancer = Proxy::among(ports.apis.clone()).await;
        let public = format!("http://{}", balancer.address());
        let mut settings = desk_settings(&own_database, &folder).await;
        settings.extend(town_settings(plan, &ports, &public));
        let drawing = Drawing { settings: &settings, logs: &home };
        let tasks = Tasks::new();
        let surprises = Arc::default();
        let supervise = |blueprint| Supervised::start(blueprint, &tasks, Arc::clone(&surprises));
        let api = |at: usize| drawing.api(&format!("api-{at}"), &proxies[at], ports.apis[at]);
        let worker = |at: usize| drawing.worker(&format!("worker-{at}"), &proxies[APIS + at]);
        let last = &proxies[APIS + WORKERS];
        let control = Caller::new(format!("http://{}", ports.sandbox).parse().unwrap()).unwrap();
        let town = Self {
            apis: (0..APIS).map(|at| supervise(api(at))).collect(),
            workers: (0..WORKERS).map(|at| supervise(worker(at))).collect(),
            doomed: [drawing.api("doomed-api", last, ports.apis[APIS]), drawing.worker("doomed-worker", last)],
            _sandbox: drawing.sandbox().start(&[]),
            api: Caller::new(public.parse().unwrap()).unwrap(),
            sandbox: SandboxClient::new(control.base().clone()).unwrap(),
            database: connect(&own_database.url).await,
            redis: redis::Client::open(own.servers.redis()).unwrap(),
            tally: Tally::default(),
            own: tokio::sync::Mutex::new(own),
            proxies,
            balancer,
            control,
            surprises,
            home,
            folder,
            settings,
            own_database,
            tasks,
        };
        town.wait_until_ready().await;
        town
    }

    async fn wait_until_ready(&self) {
        wait_at_most(Duration::from_secs(30), "everything is ready", async || {
            self.control.get("/_sandbox/counters").success().await.is_ok()
                && self.api.get("/readyz").success().await.is_ok()
        })
        .await;
    }

    /// Returns the blueprint of an API or a worker that is started to die.
    pub const fn doomed(&self, is_api: bool) -> &Blueprint {
        if is_api { &self.doomed[0] } else { &self.doomed[1] }
    }

    /// Runs a command of the program.
    pub async fn songda(&self, arguments: &[&str]) -> String {
        songda(arguments, &self.settings).await
    }

    pub fn processes(&self) -> impl Iterator<Item = &Supervised> {
        self.apis.iter().chain(&self.workers)
    }

    /// Copies PostgreSQL's log to the folder of the processes' logs.
    pub fn keep_logs(&self, plan: &Plan) {
        let log = Path::new(env!("CARGO_MANIFEST_DIR")).join("var").join(plan.name).join("postgres/log");
        fs::copy(log, self.home.join("postgres.log")).unwrap();
    }

    pub async fn close(self) {
        self.tasks.stop(Duration::from_secs(10)).await;
        self.database.close().await;
        self.own_database.drop().await;
        self.own.into_inner().close().await;
    }
}

/// Makes the blueprints of processes.
struct Drawing<'a> {
    settings: &'a [(String, String)],
    logs: &'a Path,
}

impl Drawing<'_> {
    fn api(&self, name: &str, proxies: &Proxies, listen: SocketAddr) -> Blueprint {
        let mut blueprint = self.blueprint(name, "serve", rewired(self.settings, proxies, &gateways()));
        blueprint.settings.push(("SONGDA_LISTEN".to_owned(), listen.to_string()));
        blueprint
    }

    fn worker(&self, name: &str, proxies: &Proxies) -> Blueprint {
        self.blueprint(name, "work", rewired(self.settings, proxies, &gateways()))
    }

    fn sandbox(&self) -> Blueprint {
        self.blueprint("sandbox", "sandbox", self.settings.to_vec())
    }

    fn blueprint(&self, name: &str, part: &'static str, settings: Vec<(String, String)>) -> Blueprint {
        Blueprint { name: name.to_owned(), part, settings, logs: self.logs.to_owned() }
    }
}

/// Returns the names of all gateways.
fn gateways() -> Vec<&'static str> {
    SandboxSettings::for_tests(Registry::shipped().twins()).twins.iter().map(|twin| twin.name()).collect()
}

/// Returns the settings of all processes, without those that every test installation (desk) has.
fn town_settings(plan: &Plan, ports: &Ports, public: &str) -> Settings {
    let sandbox = SandboxSettings::for_tests(Registry::shipped().twins());
    let mut all = sandbox.client_settings(&format!("http://{}", ports.sandbox));
    let listen = ports.sandbox.to_string();
    let addresses =
        [("SONGDA_PUBLIC_URL", public), ("SONGDA_SANDBOX_CALLBACK_URL", public), ("SONGDA_SANDBOX_LISTEN", &listen)];
    for settings in [&addresses[..], &SETTINGS, plan.settings] {
        all.extend(owned(settings));
    }
    all
}

/// Makes an empty folder under `target/chaos`.
fn fresh_home(name: &str) -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("chaos").join(name);
    if home.exists() {
        fs::remove_dir_all(&home).unwrap();
    }
    fs::create_dir_all(&home).unwrap();
    home
}

/// Opens connections that wait for PostgreSQL for up to a minute while it is away.
async fn connect(url: &str) -> PgPool {
    PgPoolOptions::new().max_connections(4).acquire_timeout(Duration::from_secs(60)).connect(url).await.unwrap()
}
