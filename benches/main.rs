//! `script/bench`: measures the product, and compares the figures with what this machine can do at all, or with another
//! commit.
//!
//! The product is measured from outside: the release build, API and worker as separate processes, PostgreSQL and Redis
//! as durable as in production. The load generator and the gateways are threads of this program, written to cost
//! little. All parts share one machine. `docs/performance.md` explains each line of the report.

mod against;
mod bare;
mod databases;
mod decisions;
#[path = "../tests/it/growth/history/mod.rs"]
mod history;
mod installation;
mod ledger;
mod library;
mod limits;
mod load;
mod measure;
mod meter;
mod options;
mod peers;
mod process;
mod program;
mod report;
mod residents;
mod results;
mod serving;
mod sink;
mod statistics;
mod stores;
mod verdict;
mod wire;

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;

use installation::{Installation, Site};
use ledger::Ledger;
use options::Options;
use program::Program;
use report::Report;
use sink::Sink;

/// The reason why a measurement ended early, in words.
type Failure = Box<dyn Error + Send + Sync>;
type Measured<T> = Result<T, Failure>;

/// The name of each thread that plays the gateways (a sink). In a run without a comparison only one thread has this
/// name, so its processor time can be read.
const SINK: &str = "sink";

/// One program, installed and ready to be measured.
pub struct Bench {
    installation: Installation,
    ledger: Ledger,
    sink: Sink,
    /// The name of the product's database.
    database: String,
    is_quick: bool,
    cases: Option<usize>,
}

impl Bench {
    /// Installs a program in an empty database. `name` is the prefix of its keys in Redis, and the name of its folder.
    async fn open(program: Program, name: &str, database_url: &str, options: &Options) -> Measured<Self> {
        let sink = Sink::start(SINK)?;
        let site = Site { name, database_url, gateways: sink.address };
        let installation = Installation::prepare(program, site).await?;
        let ledger = Ledger::open(database_url).await?;
        let (_, database) = database_url.rsplit_once('/').ok_or("the database has no name")?;
        let database = database.to_owned();
        Ok(Self { installation, ledger, sink, database, is_quick: options.is_quick, cases: options.cases })
    }

    /// Returns `full` in a full run, and `quick` in a quick run.
    const fn size(&self, full: usize, quick: usize) -> usize {
        if self.is_quick { quick } else { full }
    }

    /// Returns `full` in a full run, and `quick` in a quick run.
    const fn time(&self, full: Duration, quick: Duration) -> Duration {
        if self.is_quick { quick } else { full }
    }

    /// Does the jobs that a measurement left waiting, so that the next one begins with none.
    async fn clear(&self) -> Measured<()> {
        const TIMEOUT: Duration = Duration::from_secs(120);
        self.sink.reset(Duration::ZERO);
        let worker = self.installation.work()?;
        self.ledger.all_done(TIMEOUT).await?;
        worker.stop().await?;
        self.ledger.all_recorded().await
    }
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = runtime.map_err(Failure::from).and_then(|runtime| match env::args().nth(1).as_deref() {
        Some(bare::ROLE) => bare::run(),
        _ => runtime.block_on(run()),
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("FAIL {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Measured<()> {
    let options = Options::read(env::args().skip(1))?;
    let program = Program::named_by("SONGDA_BENCH_PROGRAM")?.ok_or("no program to measure: run script/bench")?;
    limits::prepare().await?;
    if options.is_comparison { against::run(program, &options).await } else { alone(program, &options).await }
}

async fn alone(program: Program, options: &Options) -> Measured<()> {
    let bench = Bench::open(program, "songda", &env::var("SONGDA_DATABASE_URL")?, options).await?;
    let mut report = Report::default();
    let mut failures = Vec::new();
    for round in 1..=options.rounds {
        for name in options.names.iter().filter(|name| round == 1 || !measure::ONCE.contains(&name.as_str())) {
            eprintln!("bench: round {round} of {}: {name}", options.rounds);
            match measure::one(name, &bench).await {
                Ok(samples) => report.add(samples),
                Err(failure) => failures.push(format!("{name}, round {round}: {failure}")),
            }
        }
    }
    println!("{}", report.table());
    write(&report, options)?;
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n     ").into()) }
}

fn write(report: &Report, options: &Options) -> Measured<()> {
    let machine = results::machine();
    let run = options.length();
    let page = format!("{machine}. Rounds: {} of {run}.\n\n{}", options.rounds, report.table());
    let lines = json!({"machine": machine, "run": run, "rounds": options.rounds, "lines": report.json()});
    results::write("bench", &lines, &page)
}
