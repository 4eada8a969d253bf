//! Measures Songda with five million cases of three years: the bytes of a case, the pages that each SQL statement of
//! the product reads, and the time of each step in a simulated day (for example: sign in, submit), compared with the
//! time in an empty database. The days are those of a town, with its residents, officers, operator and back-office
//! system. `tests/it/growth/history` says how the history is made and how query plans are judged.
//!
//! The measurement creates the database `songda_history`, and drops it at the end.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use futures_util::future::try_join_all;
use reqwest::Url;
use sqlx::{Connection, PgConnection};

use crate::databases;
use crate::history::copies::{self, Copied, TABLES, count};
use crate::history::day::{Times, Town};
use crate::history::plans;
use crate::installation::{Api, Installation};
use crate::library::{SandboxClient, Stopwatch, fresh_key, until};
use crate::process::Process;
use crate::report::{Line, Sample, Target};
use crate::serving::{answers, free_address};
use crate::{Bench, Measured};

static WEIGHT: Line = Line {
    what: "history: PostgreSQL's bytes for a case, with its indexes",
    unit: "kB",
    beside: "",
    target: Target::None,
};
static STEPS: Line = Line {
    what: "history: all steps of a town's day, the sum of their medians",
    unit: "ms",
    beside: "empty",
    target: Target::RatioAtMost(1.5),
};
static READ: Line = Line {
    what: "history: most pages that a statement read",
    unit: "pages",
    beside: "",
    target: Target::AtMost(plans::MOST_PAGES),
};

/// The number of timed days in a full run and in a quick run. It is large enough for a median, and for PostgreSQL to
/// settle on a plan for each prepared statement of each connection.
const DAYS: [usize; 2] = [12, 3];
/// The number of decisions that a back-office system reports in a day. They open most cases of the day.
const DECISIONS: usize = 77;
const OPERATOR: &str = "operator.bench";
/// The time limit for finishing all due jobs.
const TIMEOUT: Duration = Duration::from_secs(120);
/// The name of the database that this measurement creates.
const DATABASE: &str = "songda_history";

/// Times the days of a simulated town in an empty database, fills the database with the history, and times the days
/// again.
pub async fn measure(bench: &Bench) -> Measured<Vec<Sample>> {
    let url = databases::create(DATABASE).await?;
    let measured = in_its_database(bench, &url).await;
    databases::remove(DATABASE).await?;
    measured
}

async fn in_its_database(bench: &Bench, url: &str) -> Measured<Vec<Sample>> {
    let mut conn = PgConnection::connect(url).await?;
    let place = Place::prepare(bench, url).await?;
    let empty = place.lives(&mut conn).await?;
    make(bench, url, &mut conn).await?;
    place.leaves_some_open(&mut conn).await?;
    let weight = weigh(&mut conn).await?;
    let full = place.lives(&mut conn).await?;
    eprintln!("{}", side_by_side(&empty, &full));

    plans::watch(&mut conn).await?;
    let before = plans::length(&mut conn).await?;
    place.lives(&mut conn).await?;
    let statements = plans::since(&mut conn, before).await?;
    eprintln!("{}", statements.table());
    let faults = statements.faults();
    if !faults.is_empty() {
        return Err(faults.join("\n").into());
    }
    let sum = |times: &Times| times.medians().map(|(_, median)| median).sum::<f64>();
    Ok(vec![WEIGHT.is(weight), STEPS.beside(sum(&full), Some(sum(&empty))), READ.is(statements.most_pages())])
}

/// The installation in which the town lives. It has a separate database and the Redis prefix `history:`, and uses the
/// sandbox in place of every gateway.
struct Place {
    installation: Installation,
    /// The address of the sandbox.
    sandbox: SocketAddr,
    password: String,
    /// The number of timed days.
    days: usize,
}

impl Place {
    async fn prepare(bench: &Bench, url: &str) -> Measured<Self> {
        let password = fresh_key();
        let sandbox = free_address().await?;
        let gateway = |name: &str| format!("http://{sandbox}/{name}");
        let installation = bench.installation.with(&[
            ("SONGDA_DATABASE_URL", url),
            ("SONGDA_REDIS_PREFIX", "history:"),
            ("SONGDA_EMS_URL", &gateway("ems")),
            ("SONGDA_SF_URL", &gateway("sf")),
            ("SONGDA_SMS_ALIYUN_URL", &gateway("sms_aliyun")),
            ("SONGDA_WECHAT_URL", &gateway("wechat")),
            ("SONGDA_IDENTITY_URL", &gateway("identity")),
            ("SONGDA_SANDBOX_STEP", "manual"),
            ("SONGDA_HOUSEKEEPING", "5s"),
            ("SONGDA_PASSWORD", &password),
        ]);
        let installation = installation.set_up("town").await?;
        for (name, agency, role) in [
            ("officer.public-security", "public-security", "officer"),
            ("officer.human-resources", "human-resources", "officer"),
            (OPERATOR, "public-security", "operator"),
        ] {
            let add = ["staff", "add", name, "--name", name, "--agency", agency, "--role", role];
            installation.songda(&add).await?;
        }
        Ok(Self { installation, sandbox, password, days: bench.size(DAYS[0], DAYS[1]) })
    }

    /// Starts all processes, runs the timed days and stops the processes. Returns how long each step within the days
    /// took. The start and the stop are not timed.
    async fn lives(&self, conn: &mut PgConnection) -> Measured<Times> {
        let mut times = Times::default();
        let (town, processes) = self.wakes().await?;
        for _ in 0..self.days {
            town.lives_a_day(&mut times).await?;
        }
        self.sleeps(processes, conn).await?;
        Ok(times)
    }

    /// Submits a case that no officer decides, and copies its state to one case in a hundred.
    async fn leaves_some_open(&self, conn: &mut PgConnection) -> Measured<()> {
        let (town, processes) = self.wakes().await?;
        copies::leave_open(conn, &self.installation.keys(), &town.leaves_one_open().await?).await?;
        self.sleeps(processes, conn).await
    }

    /// Starts the sandbox, an API and a worker. Returns the town that uses them, and the three processes.
    async fn wakes(&self) -> Measured<(Town, [Process; 3])> {
        let world = self.start_sandbox().await?;
        let api = self.installation.serve().await?;
        let worker = self.installation.work()?;
        let sandbox = SandboxClient::new(Url::parse(&format!("http://{}", self.sandbox))?)?;
        sandbox.aim(api.caller.base()).await?;
        let back_office = api.caller.with_token(self.installation.token(&api).await?);
        let Api { process, caller, .. } = api;
        let password = self.password.clone();
        let town = Town { api: caller, sandbox, password, operator: OPERATOR, back_office, decisions: DECISIONS };
        Ok((town, [process, worker, world]))
    }

    /// Starts the sandbox from the program that cargo built with this benchmark, because the measured program may be
    /// built without the sandbox.
    async fn start_sandbox(&self) -> Measured<Process> {
        let program = Path::new(env!("CARGO_BIN_EXE_songda"));
        let listen = [("SONGDA_SANDBOX_LISTEN", self.sandbox.to_string())];
        let process = self.installation.start(program, "sandbox", &listen)?;
        answers(self.sandbox, "/_sandbox/phones").await?;
        Ok(process)
    }

    /// Waits until no job is due within a minute, and stops the processes.
    async fn sleeps(&self, processes: [Process; 3], conn: &mut PgConnection) -> Measured<()> {
        let due = "select exists (select from jobs where state = 'pending' and due_at < now() + interval '1 minute')";
        until("all jobs are done", TIMEOUT, async || {
            let due = sqlx::query_scalar(due).fetch_one(&mut *conn).await;
            Ok((!due.unwrap_or(true)).then_some(()))
        })
        .await?;
        for process in processes {
            process.stop().await?;
        }
        Ok(())
    }
}

/// Prints how many bytes a case takes in each table and in the table's indexes. Returns the sum in kilobytes.
async fn weigh(conn: &mut PgConnection) -> Measured<f64> {
    let cases: i64 = sqlx::query_scalar("select count(*) from cases").fetch_one(&mut *conn).await?;
    let each = |bytes: i64| bytes as f64 / cases as f64;
    let mut all = 0.0;
    let mut words = format!("| of {cases} cases, bytes for each | rows | table | its indexes |\n|---|---|---|---|\n");
    for (table, _) in TABLES {
        let (rows, heap, indexes): (f64, i64, i64) = sqlx::query_as(
            "select reltuples::float8, pg_table_size(oid), pg_indexes_size(oid) from pg_class where oid = $1::regclass",
        )
        .bind(table)
        .fetch_one(&mut *conn)
        .await?;
        writeln!(words, "| {table} | {:.2} | {:.0} | {:.0} |", rows / cases as f64, each(heap), each(indexes))?;
        all += each(heap) + each(indexes);
    }
    let indexes: Vec<(String, i64)> = sqlx::query_as(
        "select indexrelid::regclass::text, pg_relation_size(indexrelid) from pg_index
         where indrelid::regclass::text = any($1) order by 2 desc",
    )
    .bind(TABLES.map(|(table, _)| table))
    .fetch_all(conn)
    .await?;
    let sizes = indexes.iter().map(|(name, bytes)| format!("{name} {:.0}", each(*bytes)));
    eprintln!("{words}bench: {}", sizes.collect::<Vec<_>>().join(", "));
    Ok(all / 1_000.0)
}

/// Returns a Markdown table: the median time of each step in the empty and in the full database, in milliseconds.
fn side_by_side(empty: &Times, full: &Times) -> String {
    let full: BTreeMap<&str, f64> = full.medians().collect();
    let line = |(step, before): (&str, f64)| format!("| {step} | {before:.1} | {:.1} |\n", full[step]);
    let lines: String = empty.medians().map(line).collect();
    format!("| a step of the town, median, ms | empty | full |\n|---|---|---|\n{lines}")
}

/// Makes the history: copies the cases of a day until the database has the wanted number of cases. Uses one connection
/// for each processor core.
async fn make(bench: &Bench, url: &str, conn: &mut PgConnection) -> Measured<()> {
    const AT_ONCE: i64 = 500;
    let watch = Stopwatch::start();
    copies::prepare(conn).await?;
    let copied = Copied::take(conn).await?;
    let wanted = i64::try_from(bench.cases.unwrap_or_else(|| bench.size(5_000_000, 100_000)))?;
    let copies = copied.copies(wanted);
    let connections = i64::try_from(std::thread::available_parallelism()?.get())?;
    let share = async |number: i64| {
        let mut conn = PgConnection::connect(url).await?;
        // Triggers, which check the foreign keys, would double the time. The tests keep them, on a smaller history.
        sqlx::raw_sql("set session_replication_role = replica; set synchronous_commit = off")
            .execute(&mut conn)
            .await?;
        let mut to = copies - number * AT_ONCE;
        while to > 0 {
            copied.copy(&mut conn, (to - AT_ONCE + 1).max(1), to, copies).await?;
            to -= connections * AT_ONCE;
        }
        Measured::Ok(())
    };
    try_join_all((0..connections).map(share)).await?;
    copied.end(conn).await?;
    count(conn).await?;
    eprintln!("bench: {copies} copies of a day in {:.0} s", watch.elapsed().as_secs_f64());
    Ok(())
}
