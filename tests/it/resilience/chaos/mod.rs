//! Under fire: APIs, workers, PostgreSQL, Redis and the sandbox run as processes while clients decide, and everything that
//! can go wrong does. At the end three ledgers are compared: what clients were told, what PostgreSQL says, and what phones
//! and carriers received.
//!
//! Every run of the tests does a little of it; `script/chaos` does as much as it is told to, and prints the table. Both are
//! one code in the one binary of the tests, which has the proxies and servers that this needs. It runs the development
//! build: kill points and wrong clocks exist in no other.

mod applicants;
mod check;
mod dice;
mod doomed;
mod drained;
mod insist;
mod lines;
mod office;
mod plan;
mod probes;
mod process;
mod record;
mod report;
mod tally;
mod told;
mod town;
mod trouble;

use std::sync::Arc;

use songda::domain::kernel::clock::Stopwatch;
use tokio_util::sync::CancellationToken;

use applicants::Pair;
use office::Office;
use plan::Plan;
use report::Report;
use told::Ledger;
use town::Town;

/// Residents who apply beside the system that decides.
const RESIDENTS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_under_fire() {
    let plan = Plan::ordered();
    eprintln!("chaos: --seed={}", plan.seed);
    let (town, ledger) = (Town::build(&plan).await, Arc::new(Ledger::default()));
    let office = Office::open(&town, &plan, &ledger).await;
    let pairs = Pair::some(&town, &ledger, RESIDENTS).await;
    let recoveries = if plan.measures { probes::measure(&town, &office).await } else { Vec::new() };

    let (watch, go_home) = (Stopwatch::start(), CancellationToken::new());
    let fire = async {
        trouble::make(&town, &plan).await;
        go_home.cancel();
        watch.elapsed().as_secs()
    };
    let applying = Pair::work(&pairs, &town, plan.seed, &go_home);
    let (seconds, (), ()) = tokio::join!(fire, office.work(plan.seed, &go_home), applying);
    trouble::take_stock(&town).await;

    let drained = drained::drain(&town, plan.patience).await;
    let verdict = check::check(&town, &ledger, &pairs).await;
    let report = Report { plan: &plan, seconds, recoveries: &recoveries, drained: &drained, verdict: &verdict };
    let path = report.tell(&town);
    town.keep_logs(&plan);
    let complaints = report.complaints();
    assert!(complaints.is_empty() && verdict.is_good(), "{}:\n{}", path.display(), complaints.join("\n"));
    let as_often = !plan.has_time || doomed::fewest_deaths(&town) >= plan.kills;
    let enough = ledger.count() > 0 && town.tally.total() >= plan.faults && as_often;
    assert!(enough, "all is well, but less went wrong than was ordered");
    town.close().await;
}
