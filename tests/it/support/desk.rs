//! The desk of a test: an API, a worker and a sandbox in this process, on a database and a Redis prefix of its own.
//!
//! [`Desk::close`] fails the test that leaves a job undone, so that a forgotten side effect cannot pass; a test that
//! means to leave some says so with [`Desk::leave_jobs`].

#![allow(dead_code, reason = "the desk offers what any test may need")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use reqwest::Url;
use songda::app::App;
use songda::config::Config;
use songda::demo::form::Applicant;
use songda::demo::http::Caller;
use songda::demo::officer::DeskOfficer;
use songda::demo::resident::Resident;
use songda::demo::{Stage, fresh_key, fresh_phone, fresh_resident_id, wait};
use songda::domain::kernel::clock::Clock;
use songda::env::Env;
use songda::kill_point::Step;
use songda::lifecycle::Tasks;
use songda::queue::Queue;
use songda::registry::Registry;
use songda::sandbox::{Running, Sandbox, SandboxSettings};
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::support::database::Database;
use crate::support::folder::Folder;
use crate::support::proxy::Proxy;
use crate::support::servers::Servers;
use crate::support::template::fresh_database;

/// How long a test waits for what must come. Nothing is measured by it: it is far more than anything takes, on a machine
/// that is busy or stood still for a while, too (a sentinel that lost two seconds trusts nobody for thirty: TILT).
pub const PATIENCE: Duration = Duration::from_secs(90);
/// The password of all officers of the template.
pub const PASSWORD: &str = "correct horse battery staple";

/// Whatever port is free.
const ANY_PORT: &str = "127.0.0.1:0";

/// Takes the years after 2026 out of the calendar, those that the template made up for its rehearsals among them.
const FORGET_YEARS_TO_COME: &str = "update catalogue_parts set content = (
        select jsonb_agg(year) from jsonb_array_elements(content) year where (year->>'year')::int <= 2026)
    where name = 'calendar'";

/// Everything that a test talks to.
pub struct Desk {
    /// The API, for whoever has no token yet.
    pub api: Caller,
    /// The gateways' twin, and its memory.
    pub sandbox: Running,
    /// The database, to look at.
    pub database: PgPool,
    /// What its processes keep on a disk.
    pub folder: Folder,
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

    /// A desk on servers of the test's own.
    pub async fn open_on(servers: &Servers) -> Self {
        let (desk, app) = Self::build(servers, &Registry::shipped(), None, None, &[]).await;
        desk.work(app);
        desk
    }

    /// A desk that knows further gateways, with the catalogue of a folder that makes use of them.
    pub async fn open_plugged(registry: &Registry, catalog: &Path, settings: &[(&str, &str)]) -> Self {
        let (desk, app) = Self::build(&Servers::shared(), registry, Some(catalog), None, settings).await;
        desk.work(app);
        desk
    }

    /// Puts a worker to this desk.
    pub fn work(&self, app: App) {
        let stop = self.tasks.stopping();
        self.tasks.spawn(async move { app.work(stop).await.unwrap() });
    }

    /// A desk at which nobody works until [`Desk::worker`] starts a process for it.
    pub async fn open_idle(settings: &[(&str, &str)]) -> Self {
        Self::open_idle_on(&Servers::shared(), settings).await
    }

    /// The same on servers that the test may stop.
    pub async fn open_idle_on(servers: &Servers, settings: &[(&str, &str)]) -> Self {
        Self::build(servers, &Registry::shipped(), None, None, settings).await.0
    }

    /// A desk at which nobody works, and the app that serves its API.
    pub async fn open_api(wanted: &[(&str, &str)]) -> (Self, App) {
        Self::build(&Servers::shared(), &Registry::shipped(), None, None, wanted).await
    }

    /// A desk at which nobody works, with a clock of its own, and a calendar that knows what was announced until 2026.
    pub async fn open_in_2026(clock: &Clock) -> Self {
        Self::build(&Servers::shared(), &Registry::shipped(), None, Some(clock), &[]).await.0
    }

    async fn build(
        servers: &Servers,
        registry: &Registry,
        catalog: Option<&Path>,
        clock: Option<&Clock>,
        wanted: &[(&str, &str)],
    ) -> (Self, App) {
        let (own, folder) = (fresh_database(servers).await, Folder::create());
        let sandbox = Sandbox::start(SandboxSettings::for_tests(registry.twins())).await.unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let mut settings = settings(&own, &folder, &sandbox, wanted).await;
        settings.push(("SONGDA_PUBLIC_URL".to_owned(), base.to_string()));
        if let Some(folder) = catalog {
            songda(&["catalog", "load", "--rehearse", "--folder", folder.to_str().unwrap()], &settings).await;
        }
        let database = PgPool::connect(&own.url).await.unwrap();
        let mut config = config(settings.clone(), registry);
        if let Some(clock) = clock {
            config.clock = clock.clone();
            sqlx::query(FORGET_YEARS_TO_COME).execute(&database).await.unwrap();
        }
        let app = App::build(config).await.unwrap_or_else(|error| panic!("the app does not start: {error}"));
        sandbox.world().callbacks.aim(Some(base.clone()));
        let tasks = Tasks::new();
        let (api, stop) = (app.clone(), tasks.stopping());
        tasks.spawn(async move { api.serve_api(listener, stop).await.unwrap() });
        let api = Caller::new(base).unwrap();
        (Self { api, sandbox, database, folder, own, settings, tasks, leaves_jobs: false, closed: false }, app)
    }

    /// Redis, as this desk's processes see it.
    pub fn queue(&self) -> Queue {
        self.own.servers.queue(self.redis_prefix())
    }

    /// What this desk's keys in Redis begin with.
    pub fn redis_prefix(&self) -> &str {
        self.setting("SONGDA_REDIS_PREFIX")
    }

    /// Redis itself.
    pub async fn redis(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.own.servers.redis()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    /// Empties this desk's part of Redis: streams, groups, buckets, all of it.
    pub async fn flush_redis(&self) {
        let prefix = self.redis_prefix();
        let mut redis = self.redis().await;
        let keys: Vec<String> = redis::cmd("KEYS").arg(format!("{prefix}*")).query_async(&mut redis).await.unwrap();
        if !keys.is_empty() {
            let _: i64 = redis::cmd("DEL").arg(keys).query_async(&mut redis).await.unwrap();
        }
    }

    /// Runs a command of the program against this desk's database, and returns what it says.
    pub async fn songda(&self, arguments: &[&str]) -> String {
        songda(arguments, &self.settings).await
    }

    /// Runs a command with some settings changed, and returns how it ended, well or badly.
    pub async fn outcome(&self, arguments: &[&str], changed: &[(&str, &str)]) -> Output {
        let changed = changed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings: Vec<_> = self.settings.iter().cloned().chain(changed).collect();
        outcome(env!("CARGO_BIN_EXE_songda"), arguments, &settings).await
    }

    /// Runs a script of the project on this desk's database and folder, which must succeed.
    pub async fn script(&self, name: &str, arguments: &[&str], changed: &[(&str, &str)]) {
        let changed = changed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings: Vec<_> = self.settings.iter().cloned().chain(changed).collect();
        let output = outcome(&format!("script/{name}"), arguments, &settings).await;
        assert!(output.status.success(), "script/{name}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// What its processes are told of a setting.
    pub fn setting(&self, name: &str) -> &str {
        &self.settings.iter().rev().find(|(known, _)| known == name).unwrap().1
    }

    /// All that its processes are told.
    pub fn settings(&self) -> &[(String, String)] {
        &self.settings
    }

    /// Goes on with another database and an empty Redis. The API of this process stays with the old ones, and is of no
    /// more use; processes that are started from now on know the new ones alone.
    pub async fn move_to(&mut self, database: Database) {
        self.database.close().await;
        self.database = PgPool::connect(&database.url).await.unwrap();
        for (name, value) in &mut self.settings {
            match name.as_str() {
                "SONGDA_DATABASE_URL" => value.clone_from(&database.url),
                "SONGDA_REDIS_PREFIX" => *value = format!("it:{}:", fresh_key()),
                _ => {}
            }
        }
        std::mem::replace(&mut self.own, database).drop().await;
    }

    /// Starts a worker as a process of its own, which dies at a kill point if one is named, or when it is dropped.
    pub fn worker(&self, kill_at: Option<Step>) -> Child {
        self.process("work", &dying_at(kill_at)).0.spawn().unwrap()
    }

    /// Starts a worker that dies when it comes to a step with a job of this lane.
    pub fn worker_dying_at(&self, step: Step, lane: &str) -> Child {
        self.worker_with(&[("SONGDA_KILL_AT", &format!("{}@{lane}", step.name()))])
    }

    /// Starts a worker with some settings changed.
    pub fn worker_with(&self, changed: &[(&str, &str)]) -> Child {
        self.process("work", changed).0.spawn().unwrap()
    }

    /// The same for an API.
    pub async fn server(&self, kill_at: Option<Step>) -> Server {
        self.server_with(&dying_at(kill_at)).await
    }

    async fn server_with(&self, changed: &[(&str, &str)]) -> Server {
        let (mut command, log) = self.process("serve", changed);
        let process = command.spawn().unwrap();
        let api = told_in(&log, "listening on ").await;
        Server { process, api, log }
    }

    /// An API and a worker as processes of their own, which reach what this setting names over this line.
    pub async fn processes_over(&self, line: &Proxy, setting: &str) -> (Server, Child) {
        let mut url: Url = self.setting(setting).parse().unwrap();
        url.set_port(Some(line.address().port())).unwrap();
        let over = [(setting, url.as_str())];
        (self.server_with(&over).await, self.worker_with(&over))
    }

    /// `serve`, `work` or `all` as a process of its own that can be watched, with some settings changed.
    pub async fn watched(&self, part: &str, changed: &[(&str, &str)]) -> Watched {
        let (mut command, log) = self.process(part, changed);
        let process = command.env("SONGDA_WATCH_LISTEN", ANY_PORT).spawn().unwrap();
        let watch = told_in(&log, "watched on ").await;
        Watched { process, watch, log }
    }

    /// A process of the program, and where it logs.
    fn process(&self, part: &str, changed: &[(&str, &str)]) -> (Command, PathBuf) {
        let log = self.folder.join(format!("{part}-{}.log", fresh_key()));
        let mut command = Command::new(env!("CARGO_BIN_EXE_songda"));
        command.arg(part).env("SONGDA_LISTEN", ANY_PORT).envs(self.settings.iter().cloned());
        command.envs(changed.iter().copied()).stderr(File::create(&log).unwrap()).kill_on_drop(true);
        (command, log)
    }

    /// Some jobs may stay undone.
    pub const fn leave_jobs(&mut self) {
        self.leaves_jobs = true;
    }

    /// Looks at the sandbox over HTTP, as the player does.
    pub fn outside(&self) -> songda::demo::sandbox::SandboxClient {
        songda::demo::sandbox::SandboxClient::new(self.sandbox.base_url().parse().unwrap()).unwrap()
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
        self.resident_known_by(someone, fresh_phone()).await
    }

    /// The same, with this phone.
    pub async fn resident_with_phone(&self, phone: &str) -> (Resident, String) {
        self.resident_known_by(&fresh_key(), phone.to_owned()).await
    }

    async fn resident_known_by(&self, someone: &str, phone: String) -> (Resident, String) {
        let applicant = Applicant {
            name: "王小明",
            resident_id: Box::leak(fresh_resident_id().into_boxed_str()),
            phone: Box::leak(phone.into_boxed_str()),
            home: "西城街道清风路1号",
        };
        let resident = Resident::by_wechat(&self.api, &format!("wx-{someone}"), applicant).await.unwrap();
        resident.prove_identity().await.unwrap();
        resident.add_phone(&self.outside()).await.unwrap();
        (resident, format!("openid-{someone}"))
    }

    /// An officer of an agency. The template database knows one for each.
    pub async fn officer(&self, agency: &str) -> DeskOfficer {
        self.officer_at(&self.api, agency).await
    }

    /// The same, at another process that serves this desk's API.
    pub async fn officer_at(&self, api: &Caller, agency: &str) -> DeskOfficer {
        DeskOfficer::sign_in(api, &format!("officer.{agency}"), PASSWORD).await.unwrap()
    }

    /// How many jobs are in a state.
    pub async fn jobs(&self, state: &str) -> i64 {
        let count = sqlx::query_scalar("select count(*) from jobs where state = $1").bind(state);
        count.fetch_one(&self.database).await.unwrap()
    }

    /// Ends the test: waits for what is under way, checks that nothing was left undone, and drops the database.
    pub async fn close(mut self) {
        if !self.leaves_jobs {
            self.finish().await;
            assert_eq!(self.jobs("dead").await, 0, "jobs died: {:#?}", self.undone().await);
        }
        assert!(self.tasks.stop(PATIENCE).await, "the app stops when it is asked to");
        self.database.close().await;
        self.own.drop().await;
        self.closed = true;
    }

    /// Waits until nothing is left to do. What is due much later (a look-up in an hour) is no part of a test.
    pub async fn finish(&self) {
        let done = wait::until("all jobs are done", PATIENCE, async || Ok((self.due_soon().await == 0).then_some(())));
        let done = done.await;
        assert!(done.is_ok(), "{done:?}: {:#?}", self.undone().await);
    }

    async fn due_soon(&self) -> i64 {
        let count = "select count(*) from jobs where state = 'pending' and due_at < now() + interval '1 minute'";
        sqlx::query_scalar(count).fetch_one(&self.database).await.unwrap()
    }

    /// The jobs that should be done and are not, for people to read when a test fails.
    pub async fn undone(&self) -> Vec<String> {
        let jobs = "select concat_ws(' ', key, state, 'due in', due_at - now(), 'leased for', lease_until - now(),
            'attempts', attempts, 'unclear', unclear, cause) from jobs
            where state = 'dead' or state = 'pending' and due_at < now() + interval '1 minute'";
        sqlx::query_scalar(jobs).fetch_all(&self.database).await.unwrap()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.tasks.stopping().cancel();
        assert!(self.closed || std::thread::panicking(), "a test ends with desk.close().await");
    }
}

/// An API that is a process of its own.
pub struct Server {
    /// It dies when this is dropped.
    pub process: Child,
    /// The way to it, for whoever has no token yet.
    pub api: Caller,
    log: PathBuf,
}

impl Server {
    /// What it logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

/// A process of its own that can be watched.
pub struct Watched {
    /// It dies when this is dropped.
    pub process: Child,
    /// The way to its watch listener.
    pub watch: Caller,
    log: PathBuf,
}

impl Watched {
    /// The way to its API, for whoever has no token yet.
    pub async fn api(&self) -> Caller {
        told_in(&self.log, "listening on ").await
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

fn dying_at(step: Option<Step>) -> Vec<(&'static str, &'static str)> {
    step.into_iter().map(|step| ("SONGDA_KILL_AT", step.name())).collect()
}

/// The way to a listener that a process tells of in its log.
async fn told_in(log: &Path, words: &str) -> Caller {
    const AT: &str = "127.0.0.1:";
    let port = || {
        let text = fs::read_to_string(log).unwrap();
        let (_, place) = text.split_once(words)?.1.split_once(AT)?;
        let digits = place.find(|letter: char| !letter.is_ascii_digit())?;
        place[..digits].parse::<u16>().ok()
    };
    wait_until(words, async || port().is_some()).await;
    Caller::new(format!("http://{AT}{}", port().unwrap()).parse().unwrap()).unwrap()
}

/// Asks a process to stop, and sees that it ends well.
pub async fn stops_softly(process: &mut Child) {
    let id = process.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let ended = tokio::time::timeout(PATIENCE, process.wait()).await;
    assert!(ended.expect("it stops when it is asked to").unwrap().success(), "it ends well");
}

/// Asks again and again until it is so.
pub async fn wait_until(what: &str, is_so: impl AsyncFnMut() -> bool) {
    wait_at_most(PATIENCE, what, is_so).await;
}

/// The same where the test means something by the deadline.
pub async fn wait_at_most(deadline: Duration, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let ask = async || Ok(is_so().await.then_some(()));
    wait::until(what, deadline, ask).await.unwrap_or_else(|late| panic!("{late}"));
}

/// The settings of a desk: the sandbox's keys, its own keys and prefix, and whatever the test wants.
pub async fn settings(
    database: &Database,
    folder: &Folder,
    sandbox: &Running,
    wanted: &[(&str, &str)],
) -> Vec<(String, String)> {
    settings_beside(database, folder, sandbox.client_settings(), wanted).await
}

/// The same beside a sandbox that may be a process of its own.
pub async fn settings_beside(
    database: &Database,
    folder: &Folder,
    sandbox: Vec<(String, String)>,
    wanted: &[(&str, &str)],
) -> Vec<(String, String)> {
    let mut all = sandbox;
    let (prefix, keys, uploads) = (format!("it:{}:", fresh_key()), folder.path_of("keys"), folder.path_of("uploads"));
    songda(&["keys", "init", &keys], &[]).await;
    let given = [
        ("SONGDA_DATABASE_URL", database.url.as_str()),
        ("SONGDA_REDIS_URL", database.servers.redis()),
        ("SONGDA_REDIS_PREFIX", &prefix),
        ("SONGDA_KEYS", &keys),
        ("SONGDA_UPLOADS", &uploads),
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

/// Runs the program, which must succeed.
pub async fn songda(arguments: &[&str], settings: &[(String, String)]) -> String {
    let output = outcome(env!("CARGO_BIN_EXE_songda"), arguments, settings).await;
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "songda {}: {words}", arguments.join(" "));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a program of ours to its end.
async fn outcome(program: &str, arguments: &[&str], settings: &[(String, String)]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).envs(settings.iter().cloned()).env("SONGDA_PASSWORD", PASSWORD);
    command.output().await.unwrap()
}
