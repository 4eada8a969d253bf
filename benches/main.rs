//! `script/bench`: what the product does in numbers, beside what this machine can do at all, in one run.
//!
//! The product is measured from outside: the release build, API and worker as processes of their own, PostgreSQL and
//! Redis as durable as in production. The load generator and the gateway are threads of this program, written to cost
//! little; everything shares the machine. `docs/performance.md` says what each line means.

mod bare;
mod decisions;
#[path = "../tests/it/growth/history/mod.rs"]
mod history;
mod installation;
mod ledger;
mod limits;
mod load;
mod measure;
mod peers;
mod process;
mod report;
mod residents;
mod sink;
mod stores;
mod wire;

use std::env;
use std::error::Error;
use std::fs;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;

use installation::Installation;
use ledger::Ledger;
use report::Report;
use sink::Sink;

/// Whatever ends a measurement early, in words.
type Failure = Box<dyn Error + Send + Sync>;
type Measured<T> = Result<T, Failure>;

/// Where measurements take place.
pub struct Bench {
    installation: Installation,
    ledger: Ledger,
    sink: Sink,
    /// Whether figures only have to be in the right order of magnitude, soon.
    is_quick: bool,
    /// How many cases `history` is to have, if not the usual number.
    cases: Option<usize>,
}

impl Bench {
    /// A size: of a full run, or of a quick one.
    const fn size(&self, full: usize, quick: usize) -> usize {
        if self.is_quick { quick } else { full }
    }

    /// Brings out what a measurement left waiting, so that the next one begins with nothing.
    async fn clear(&self) -> Measured<()> {
        const PATIENCE: Duration = Duration::from_secs(120);
        self.sink.reset(Duration::ZERO);
        let worker = self.installation.work()?;
        self.ledger.all_done(PATIENCE).await?;
        worker.stop().await?;
        self.ledger.all_recorded().await
    }

    /// A time: of a full run, or of a quick one.
    const fn time(&self, full: Duration, quick: Duration) -> Duration {
        if self.is_quick { quick } else { full }
    }
}

/// What was asked for on the command line.
struct Wanted {
    is_quick: bool,
    rounds: usize,
    cases: Option<usize>,
    names: Vec<String>,
}

impl Wanted {
    fn read() -> Measured<Self> {
        let (mut is_quick, mut rounds, mut cases, mut names) = (false, None, None, Vec::new());
        for argument in env::args().skip(1) {
            match argument.as_str() {
                // Cargo says it to every benchmark.
                "--bench" => {}
                "--quick" => is_quick = true,
                other => match other.split_once('=') {
                    Some(("--rounds", count)) => rounds = Some(count.parse()?),
                    Some(("--cases", count)) => cases = Some(count.parse()?),
                    None if measure::NAMES.contains(&other) => names.push(other.to_owned()),
                    _ => return Err(format!("{other}? Known are {}", measure::NAMES.join(" ")).into()),
                },
            }
        }
        if names.is_empty() {
            names = measure::NAMES.map(str::to_owned).to_vec();
        }
        Ok(Self { is_quick, rounds: rounds.unwrap_or(if is_quick { 1 } else { 5 }), cases, names })
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
    let wanted = Wanted::read()?;
    let sink = Sink::start()?;
    let installation = Installation::prepare(sink.address).await?;
    let (ledger, is_quick, cases) = (Ledger::open().await?, wanted.is_quick, wanted.cases);
    let bench = Bench { installation, ledger, sink, is_quick, cases };
    let (mut report, mut failures) = (Report::default(), Vec::new());
    for round in 1..=wanted.rounds {
        for name in wanted.names.iter().filter(|name| round == 1 || !measure::ONCE.contains(&name.as_str())) {
            eprintln!("bench: round {round} of {}: {name}", wanted.rounds);
            match measure::one(name, &bench).await {
                Ok(samples) => report.add(samples),
                Err(failure) => failures.push(format!("{name}, round {round}: {failure}")),
            }
        }
    }
    println!("{}", report.table());
    keep(&report, &wanted)?;
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n     ").into()) }
}

/// Writes the results where other programs find them, for programs and for `docs/performance.md`; `script/bench` says of
/// what machine they are.
fn keep(report: &Report, wanted: &Wanted) -> Measured<()> {
    let Ok(path) = env::var("SONGDA_BENCH_RESULTS") else { return Ok(()) };
    let machine = env::var("SONGDA_BENCH_MACHINE").unwrap_or_default();
    let run = if wanted.is_quick { "a quick run" } else { "a full run" };
    let page = format!("{machine}. Rounds: {} of {run}.\n\n{}", wanted.rounds, report.table());
    let results = json!({"machine": machine, "run": run, "rounds": wanted.rounds, "lines": report.json()});
    fs::write(format!("{path}.json"), serde_json::to_string_pretty(&results)? + "\n")?;
    Ok(fs::write(format!("{path}.md"), page)?)
}
