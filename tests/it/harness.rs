//! The desk of a test: an API, a worker and a sandbox in this process, on a database and a Redis prefix of its own.
//!
//! The database is copied from a template that is migrated and loaded with the catalogue once per build of the tests.
//! [`Desk::close`] fails the test that leaves a job undone, so that a forgotten side effect cannot pass; a test that
//! means to leave some says so with [`Desk::leave_jobs`].

#![allow(dead_code, reason = "the desk offers what any test may need")]

use std::fs::{self, File};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, UNIX_EPOCH};

use reqwest::Url;
use songda::app::App;
use songda::config::Config;
use songda::demo::form::Applicant;
use songda::demo::http::Caller;
use songda::demo::officer::Officer;
use songda::demo::resident::Resident;
use songda::demo::{Stage, fresh_key, fresh_phone};
use songda::env::Env;
use songda::lifecycle::Tasks;
use songda::queue::Queue;
use songda::registry::Registry;
use songda::sandbox::{Running, Sandbox, Settings};
use sqlx::{AssertSqlSafe, Connection, PgPool};
use tokio::net::TcpListener;
use tokio::sync::OnceCell;

use crate::database::{Database, administrator};

/// The keys that the sandbox's twins expect.
const SANDBOX_KEYS: &str = include_str!("../../script/sandbox.env");
/// The agencies whose officers tests meet.
const AGENCIES: [&str; 3] = ["public-security", "administrative-approval", "human-resources"];
/// The password of the officers that [`Desk::officer`] signs in.
const PASSWORD: &str = "correct horse battery staple";

/// Everything that a test talks to.
pub struct Desk {
    /// The API, for whoever has no token yet.
    pub api: Caller,
    /// The gateways' twin, and its memory.
    pub sandbox: Running,
    /// The database, to look at.
    pub database: PgPool,
    own: Database,
    settings: Vec<(String, String)>,
    tasks: Tasks,
    leaves_jobs: bool,
    closed: bool,
}

impl Desk {
    /// A desk with the settings of the tests.
    pub async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// A desk with some settings of its own.
    pub async fn open_with(settings: &[(&str, &str)]) -> Self {
        let (desk, app) = Self::open_api(settings).await;
        desk.work(app);
        desk
    }

    /// A desk that knows further gateways, with the catalogue of a folder that makes use of them.
    pub async fn open_plugged(registry: &Registry, catalog: &Path, settings: &[(&str, &str)]) -> Self {
        let (desk, app) = Self::build(registry, Some(catalog), settings).await;
        desk.work(app);
        desk
    }

    fn work(&self, app: App) {
        let stop = self.tasks.stopping();
        self.tasks.spawn(async move { app.work(stop).await.unwrap() });
    }

    /// A desk at which nobody works until [`Desk::worker`] starts a process for it.
    pub async fn open_idle(settings: &[(&str, &str)]) -> Self {
        Self::open_api(settings).await.0
    }

    /// The same, with the process that serves its API.
    pub async fn open_api(wanted: &[(&str, &str)]) -> (Self, App) {
        Self::build(&Registry::shipped(), None, wanted).await
    }

    async fn build(registry: &Registry, catalog: Option<&Path>, wanted: &[(&str, &str)]) -> (Self, App) {
        let own = fresh_database().await;
        let sandbox = Sandbox::start(Settings::for_tests(registry.twins())).await.unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let mut settings = settings(&own.url, &sandbox, wanted);
        settings.push(("SONGDA_PUBLIC_URL".to_owned(), base.to_string()));
        if let Some(folder) = catalog {
            songda(&["catalog", "load", "--rehearse", "--folder", folder.to_str().unwrap()], &settings).await;
        }
        let app = App::build(config(settings.clone(), registry))
            .await
            .unwrap_or_else(|error| panic!("the app does not start: {error}"));
        sandbox.world().callbacks.aim(Some(base.clone()));
        let tasks = Tasks::new();
        let (api, stop) = (app.clone(), tasks.stopping());
        tasks.spawn(async move { api.serve_api(listener, stop).await.unwrap() });
        let database = PgPool::connect(&own.url).await.unwrap();
        let api = Caller::new(base).unwrap();
        (Self { api, sandbox, database, own, settings, tasks, leaves_jobs: false, closed: false }, app)
    }

    /// Redis, as this desk's processes see it.
    pub fn queue(&self) -> Queue {
        Queue::new(&redis_url(), self.redis_prefix()).unwrap()
    }

    fn redis_prefix(&self) -> &str {
        &self.settings.iter().find(|(name, _)| name == "SONGDA_REDIS_PREFIX").unwrap().1
    }

    /// Empties this desk's part of Redis: streams, groups, buckets, all of it.
    pub async fn flush_redis(&self) {
        let prefix = self.redis_prefix();
        let mut redis = redis::Client::open(redis_url()).unwrap().get_multiplexed_async_connection().await.unwrap();
        let keys: Vec<String> = redis::cmd("KEYS").arg(format!("{prefix}*")).query_async(&mut redis).await.unwrap();
        if !keys.is_empty() {
            let _: i64 = redis::cmd("DEL").arg(keys).query_async(&mut redis).await.unwrap();
        }
    }

    /// Runs a command of the program against this desk's database, and returns what it says.
    pub async fn songda(&self, arguments: &[&str]) -> String {
        songda(arguments, &self.settings).await
    }

    /// Starts a worker as a process of its own, which dies at a kill point if one is named, or when it is dropped.
    pub fn worker(&self, kill_at: Option<&str>) -> tokio::process::Child {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_songda"));
        command.arg("work").envs(self.settings.iter().cloned()).envs(kill_at.map(|step| ("SONGDA_KILL_AT", step)));
        command.env("SONGDA_LOG", "warn").kill_on_drop(true).spawn().unwrap()
    }

    /// Starts an API as a process of its own, which ends when it is dropped, and whose log goes to a file.
    pub async fn server(&self, log: &Path) -> (tokio::process::Child, Caller) {
        const AT: &str = "127.0.0.1:";
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_songda"));
        command.arg("serve").envs(self.settings.iter().cloned()).env("SONGDA_LISTEN", format!("{AT}0"));
        let process = command.stderr(File::create(log).unwrap()).kill_on_drop(true).spawn().unwrap();
        let port = || {
            let text = fs::read_to_string(log).unwrap();
            let (_, place) = text.split_once("listening on ")?.1.split_once(AT)?;
            let digits = place.find(|letter: char| !letter.is_ascii_digit())?;
            place[..digits].parse::<u16>().ok()
        };
        wait_until(Duration::from_secs(20), "the API listens", async || port().is_some()).await;
        let base = format!("http://{AT}{}", port().unwrap());
        (process, Caller::new(base.parse().unwrap()).unwrap())
    }

    /// Some jobs may stay undone.
    pub const fn leave_jobs(&mut self) {
        self.leaves_jobs = true;
    }

    /// Looks at the sandbox over HTTP, as the player does.
    pub fn outside(&self) -> songda::demo::sandbox::Sandbox {
        songda::demo::sandbox::Sandbox::new(self.sandbox.base_url().parse().unwrap()).unwrap()
    }

    /// The stage for the player's journeys.
    pub fn stage(&self) -> Stage {
        Stage::new(self.api.clone(), self.outside(), PASSWORD.to_owned().into())
    }

    /// A resident who signed in over WeChat, proved who they are, and has a phone; and their openid.
    pub async fn resident(&self) -> (Resident, String) {
        self.resident_called(&fresh_key()).await
    }

    /// The same, of this name at WeChat.
    pub async fn resident_called(&self, someone: &str) -> (Resident, String) {
        let applicant = Applicant {
            name: "王小明",
            resident_id: "320422198506150024",
            phone: Box::leak(fresh_phone().into_boxed_str()),
            home: "西城街道清风路1号",
        };
        let resident = Resident::by_wechat(&self.api, &format!("wx-{someone}"), applicant).await.unwrap();
        resident.prove_identity().await.unwrap();
        resident.add_phone(&self.outside()).await.unwrap();
        (resident, format!("openid-{someone}"))
    }

    /// An officer of an agency. The template database knows one for each.
    pub async fn officer(&self, agency: &str) -> Officer {
        Officer::sign_in(&self.api, &format!("officer.{agency}"), PASSWORD).await.unwrap()
    }

    /// How many jobs are in a state.
    pub async fn jobs(&self, state: &str) -> i64 {
        let count = sqlx::query_scalar("select count(*) from jobs where state = $1").bind(state);
        count.fetch_one(&self.database).await.unwrap()
    }

    /// Ends the test: waits for what is under way, checks that nothing was left undone, and drops the database.
    pub async fn close(mut self) {
        if !self.leaves_jobs {
            // What is due much later (a look-up in an hour) is no part of a test.
            wait_until(Duration::from_secs(20), "all jobs are done", async || self.due_soon().await == 0).await;
            assert_eq!(self.jobs("dead").await, 0, "jobs died: {:?}", self.causes().await);
        }
        assert!(self.tasks.stop(Duration::from_secs(10)).await, "the app stops when it is asked to");
        self.database.close().await;
        self.own.drop().await;
        self.closed = true;
    }

    async fn due_soon(&self) -> i64 {
        let count = "select count(*) from jobs where state = 'pending' and due_at < now() + interval '1 minute'";
        sqlx::query_scalar(count).fetch_one(&self.database).await.unwrap()
    }

    async fn causes(&self) -> Vec<(String, Option<String>)> {
        let causes = sqlx::query_as("select kind, cause from jobs where state = 'dead'");
        causes.fetch_all(&self.database).await.unwrap()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.tasks.stopping().cancel();
        assert!(self.closed || std::thread::panicking(), "a test ends with desk.close().await");
    }
}

/// Asks again and again until it is so.
pub async fn wait_until(deadline: Duration, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let ask = async || Ok(is_so().await.then_some(()));
    songda::demo::wait::until(what, deadline, ask).await.unwrap_or_else(|late| panic!("{late}"));
}

/// The settings of a desk: the sandbox's keys, its own prefix, and whatever the test wants.
fn settings(url: &str, sandbox: &Running, wanted: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut all = sandbox_settings(sandbox);
    let (redis, prefix) = (redis_url(), format!("it:{}:", fresh_key()));
    let given = [
        ("SONGDA_DATABASE_URL", url),
        ("SONGDA_REDIS_URL", &redis),
        ("SONGDA_REDIS_PREFIX", &prefix),
        ("SONGDA_KEYS", keys()),
    ];
    all.extend(
        given.into_iter().chain(wanted.iter().copied()).map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    all
}

fn config(settings: Vec<(String, String)>, registry: &Registry) -> Config {
    let mut env = Env::of(settings);
    Config::read(&mut env, registry).unwrap_or_else(|faults| panic!("settings:\n{}", faults.join("\n")))
}

/// `script/sandbox.env`, and where the sandbox is.
fn sandbox_settings(sandbox: &Running) -> Vec<(String, String)> {
    let keys = SANDBOX_KEYS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    let keys = keys.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let address = |name: &str| (format!("SONGDA_{}_URL", name.to_uppercase()), sandbox.url(name));
    let addresses = sandbox.gateways().map(address);
    keys.chain(addresses).collect()
}

/// A database that is a copy of the template.
async fn fresh_database() -> Database {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    Database::copy_of(TEMPLATE.get_or_init(template).await).await
}

/// The template's name; it is made if this build of the tests has not made it yet.
async fn template() -> String {
    let built = std::env::current_exe().and_then(|exe| exe.metadata()).and_then(|file| file.modified()).unwrap();
    let name = format!("songda_template_{}", built.duration_since(UNIX_EPOCH).unwrap().as_millis());
    let mut admin = administrator().await;
    let mut lock = admin.begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(hashtext('songda_template'))").execute(&mut *lock).await.unwrap();
    let exists =
        sqlx::query_scalar::<_, bool>("select exists (select from pg_database where datname = $1)").bind(&name);
    if !exists.fetch_one(&mut *lock).await.unwrap() {
        make_template(&name).await;
    }
    lock.commit().await.unwrap();
    name
}

/// Under a working name until it is whole, so that a killed run leaves none that is half filled.
async fn make_template(name: &str) {
    let mut admin = administrator().await;
    let stale: Vec<String> =
        sqlx::query_scalar("select datname::text from pg_database where datname like 'songda\\_template\\_%'")
            .fetch_all(&mut admin)
            .await
            .unwrap();
    for old in stale {
        // One that is in use belongs to another run.
        let _ = sqlx::query(AssertSqlSafe(format!("drop database {old}"))).execute(&mut admin).await;
    }
    let working = Database::empty().await;
    fill_template(&working.url).await;
    working.keep_as(name).await;
}

/// The schema, the catalogue, and an officer for each agency that tests meet, all by the program's own commands.
async fn fill_template(url: &str) {
    let sandbox = Sandbox::start(Settings::for_tests(&[])).await.unwrap();
    let settings = settings(url, &sandbox, &[]);
    songda(&["migrate"], &settings).await;
    songda(&["catalog", "load", "--rehearse"], &settings).await;
    for agency in AGENCIES {
        let username = format!("officer.{agency}");
        songda(&["staff", "add", &username, "--name", "测试人员", "--agency", agency, "--role", "officer"], &settings)
            .await;
    }
}

/// Runs the program, which must succeed.
async fn songda(arguments: &[&str], settings: &[(String, String)]) -> String {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_songda"));
    command.args(arguments).envs(settings.iter().cloned()).env("SONGDA_PASSWORD", PASSWORD);
    let output = command.output().await.unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "songda {}: {words}", arguments.join(" "));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Where Redis is.
pub fn redis_url() -> String {
    std::env::var("SONGDA_REDIS_URL").expect("SONGDA_REDIS_URL is set: run the tests with script/test")
}

/// A folder with fresh keys, made once.
fn keys() -> &'static str {
    static KEYS: OnceLock<String> = OnceLock::new();
    KEYS.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("songda-keys-{}", fresh_key()));
        let made =
            std::process::Command::new(env!("CARGO_BIN_EXE_songda")).args(["keys", "init"]).arg(&folder).status();
        assert!(made.unwrap().success(), "songda keys init");
        folder.display().to_string()
    })
}
