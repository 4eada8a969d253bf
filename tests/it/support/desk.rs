//! A test's own installation: the API, a worker and the sandbox run in the test's process, on a database, a folder and
//! a Redis prefix that no other test uses.
//!
//! [`Desk::open`] opens the usual installation (a desk), and [`Desk::builder`] one with changes. [`Desk::close`] fails
//! the test if a job is left unfinished, so a forgotten side effect cannot pass. A test that leaves jobs on purpose
//! calls [`Desk::leave_jobs`].

use std::path::Path;

use reqwest::Url;
use songda::app::App;
use songda::config::Config;
use songda::demo::http::Caller;
use songda::demo::{Stage, fresh_key, wait};
use songda::domain::kernel::clock::Clock;
use songda::env::Env;
use songda::lifecycle::Tasks;
use songda::queue::Queue;
use songda::registry::Registry;
use songda::sandbox::{Running, Sandbox, SandboxSettings};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgPool};
use tokio::net::TcpListener;

use super::database::Database;
use super::folder::Folder;
use super::people::PASSWORD;
use super::process::songda;
use super::servers::Servers;
use super::settings::{Settings, desk_settings, owned};
use super::template::fresh_database;
use super::wait::TIMEOUT;

/// Removes the years after 2026 from the calendar. The government has not announced their working days. The command
/// `catalog load --rehearse`, which fills the template database, invents them.
const FORGET_YEARS_TO_COME: &str = "update catalogue_parts set content = (
        select jsonb_agg(year) from jsonb_array_elements(content) year where (year->>'year')::int <= 2026)
    where name = 'calendar'";

/// The running installation of one test.
pub struct Desk {
    /// The API, without a token.
    pub api: Caller,
    /// The product in this process, for tests that call its routes or issue tokens themselves.
    pub app: App,
    /// The gateways' twins, and what phones and carriers received.
    pub sandbox: Running,
    pub database: PgPool,
    /// Keys, uploads and logs of the desk's processes.
    pub folder: Folder,
    own: Database,
    settings: Settings,
    tasks: Tasks,
    leaves_jobs: bool,
    closed: bool,
}

/// A desk that is not open yet.
#[must_use = "a desk is opened by `open`"]
pub struct DeskBuilder<'a> {
    servers: Servers,
    registry: Registry,
    catalog: Option<&'a Path>,
    clock: Option<Clock>,
    settings: Settings,
    has_worker: bool,
}

impl<'a> DeskBuilder<'a> {
    /// Adds settings. A later value replaces an earlier one of the same name.
    pub fn settings(mut self, settings: &[(&str, &str)]) -> Self {
        self.settings.extend(owned(settings));
        self
    }

    /// Opens the desk without a worker. [`Desk::worker`] starts one as a process.
    pub const fn without_worker(mut self) -> Self {
        self.has_worker = false;
        self
    }

    /// Uses the test's own PostgreSQL and Redis.
    pub fn on(mut self, servers: &Servers) -> Self {
        self.servers = servers.clone();
        self
    }

    /// Uses the gateways of this registry instead of the shipped ones.
    pub fn gateways(mut self, registry: Registry) -> Self {
        self.registry = registry;
        self
    }

    /// Loads the catalogue of this folder.
    pub const fn catalog(mut self, folder: &'a Path) -> Self {
        self.catalog = Some(folder);
        self
    }

    /// Reads the time from this clock, and uses a calendar that ends with 2026, because the government has not
    /// announced the working days of later years.
    pub fn in_2026(mut self, clock: &Clock) -> Self {
        self.clock = Some(clock.clone());
        self
    }

    pub async fn open(self) -> Desk {
        let own = fresh_database(&self.servers).await;
        let folder = Folder::create();
        let sandbox = Sandbox::start(SandboxSettings::for_tests(self.registry.twins())).await.unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let mut settings = sandbox.client_settings();
        settings.extend(desk_settings(&own, &folder).await);
        settings.extend(self.settings);
        settings.push(("SONGDA_PUBLIC_URL".to_owned(), base.to_string()));
        if let Some(folder) = self.catalog {
            songda(&["catalog", "load", "--rehearse", "--folder", folder.to_str().unwrap()], &settings).await;
        }
        let database = PgPool::connect(&own.url).await.unwrap();
        let mut config = config(settings.clone(), &self.registry);
        if let Some(clock) = self.clock {
            config.clock = clock;
            sqlx::query(FORGET_YEARS_TO_COME).execute(&database).await.unwrap();
        }
        let app = App::build(config).await.unwrap_or_else(|error| panic!("the app does not start: {error}"));
        sandbox.world().callbacks.aim(Some(base.clone()));
        let api = Caller::new(base).unwrap();
        let tasks = Tasks::new();
        let desk =
            Desk { api, app, sandbox, database, folder, own, settings, tasks, leaves_jobs: false, closed: false };
        desk.serve(listener);
        if self.has_worker {
            desk.work();
        }
        desk
    }
}

fn config(settings: Settings, registry: &Registry) -> Config {
    let mut env = Env::of(settings);
    Config::read(&mut env, registry).unwrap_or_else(|faults| panic!("settings:\n{}", faults.join("\n")))
}

impl Desk {
    /// Opens the usual desk: with a worker, the shipped gateways and the shared servers.
    pub async fn open() -> Self {
        Self::builder().open().await
    }

    pub fn builder<'a>() -> DeskBuilder<'a> {
        DeskBuilder {
            servers: Servers::shared(),
            registry: Registry::shipped(),
            catalog: None,
            clock: None,
            settings: Settings::new(),
            has_worker: true,
        }
    }

    fn serve(&self, listener: TcpListener) {
        let app = self.app.clone();
        let stop = self.tasks.stopping();
        self.tasks.spawn(async move { app.serve_api(listener, stop).await.unwrap() });
    }

    fn work(&self) {
        let app = self.app.clone();
        let stop = self.tasks.stopping();
        self.tasks.spawn(async move { app.work(stop).await });
    }

    /// Returns the prefix of this desk's keys in Redis.
    pub fn redis_prefix(&self) -> &str {
        self.setting("SONGDA_REDIS_PREFIX")
    }

    /// Redis, through the product's client, with this desk's prefix.
    pub fn queue(&self) -> Queue {
        self.own.servers.queue(self.redis_prefix())
    }

    /// Redis, without the product's client.
    pub async fn redis(&self) -> redis::aio::MultiplexedConnection {
        self.own.servers.plain_redis().await
    }

    /// Deletes this desk's keys from Redis: streams, groups, rate limits, all of them.
    pub async fn flush_redis(&self) {
        let prefix = self.redis_prefix();
        let mut redis = self.redis().await;
        let keys: Vec<String> = redis::cmd("KEYS").arg(format!("{prefix}*")).query_async(&mut redis).await.unwrap();
        if !keys.is_empty() {
            let _: i64 = redis::cmd("DEL").arg(keys).query_async(&mut redis).await.unwrap();
        }
    }

    /// Returns the value of a setting that the desk's processes get.
    pub fn setting(&self, name: &str) -> &str {
        &self.settings.iter().rev().find(|(known, _)| known == name).unwrap().1
    }

    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Switches to another database and an empty Redis. The API of this process keeps the old ones and must not be used
    /// any more. Processes that start from now on get the new ones.
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

    /// Returns the HTTP client of the sandbox that `songda demo` also uses.
    pub fn outside(&self) -> songda::demo::sandbox::SandboxClient {
        songda::demo::sandbox::SandboxClient::new(self.sandbox.base_url().parse().unwrap()).unwrap()
    }

    /// Returns a caller of the sandbox's control endpoints (`/_sandbox/…`).
    pub fn control(&self) -> Caller {
        Caller::new(self.sandbox.base_url().parse().unwrap()).unwrap()
    }

    /// Returns what the journeys of `songda demo` need: the API, the sandbox and the officers' password.
    pub fn stage(&self) -> Stage {
        Stage::new(self.api.clone(), self.outside(), PASSWORD.to_owned().into())
    }

    /// Runs a query. Returns the first column of its only row.
    pub async fn scalar<T>(&self, sql: &'static str) -> T
    where
        (T,): for<'r> FromRow<'r, PgRow>,
        T: Send + Unpin,
    {
        sqlx::query_scalar(sql).fetch_one(&self.database).await.unwrap()
    }

    /// Runs a `select count(*)`.
    pub async fn count(&self, sql: &'static str) -> i64 {
        self.scalar(sql).await
    }

    /// Runs SQL statements behind the product's back.
    pub async fn execute(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&self.database).await.unwrap();
    }

    pub async fn jobs(&self, state: &str) -> i64 {
        let count = sqlx::query_scalar("select count(*) from jobs where state = $1").bind(state);
        count.fetch_one(&self.database).await.unwrap()
    }

    /// Lets the test end with jobs unfinished.
    pub const fn leave_jobs(&mut self) {
        self.leaves_jobs = true;
    }

    /// Ends the test: waits for running work, asserts that no job is unfinished, and drops the database.
    pub async fn close(mut self) {
        if !self.leaves_jobs {
            self.finish().await;
            assert_eq!(self.jobs("dead").await, 0, "jobs died: {:#?}", self.unfinished().await);
        }
        assert!(self.tasks.stop(TIMEOUT).await, "the app stops when it is asked to");
        self.database.close().await;
        self.own.drop().await;
        self.closed = true;
    }

    /// Waits until no pending job is due within a minute. Later jobs, such as a look-up in an hour, are not waited for.
    pub async fn finish(&self) {
        let done = wait::until("all jobs are done", TIMEOUT, async || Ok((self.due_soon().await == 0).then_some(())));
        let done = done.await;
        assert!(done.is_ok(), "{done:?}: {:#?}", self.unfinished().await);
    }

    async fn due_soon(&self) -> i64 {
        self.count("select count(*) from jobs where state = 'pending' and due_at < now() + interval '1 minute'").await
    }

    /// Returns the jobs that should be done and are not done, as text for the message of a failed test.
    pub async fn unfinished(&self) -> Vec<String> {
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
