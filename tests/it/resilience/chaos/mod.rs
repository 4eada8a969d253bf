//! APIs, workers, PostgreSQL, Redis and the sandbox run as processes. Clients submit applications and report decisions
//! meanwhile, and all parts fail again and again. At the end three ledgers are compared: what the API promised to
//! clients, what PostgreSQL contains, and what phones and carriers received.
//!
//! `script/test` makes a little trouble. `script/chaos` makes as much as its arguments say, and shows the table of
//! results. Both run this test, which has its own proxies and servers. The processes run a development build, because
//! no other build can kill itself at a step of a job or use a wrong clock.

mod applicants;
mod check;
mod deaths;
mod dice;
mod drain;
mod ledger;
mod office;
mod plan;
mod probes;
mod process;
mod proxies;
mod record;
mod report;
mod retry;
mod tally;
mod town;
mod trouble;

use std::sync::Arc;

use songda::domain::kernel::clock::Stopwatch;
use tokio_util::sync::CancellationToken;

use applicants::Pair;
use ledger::Ledger;
use office::Office;
use plan::Plan;
use report::Report;
use town::Town;

/// How many residents apply while a back-office system reports decisions.
const RESIDENTS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_done_twice_while_everything_fails() {
    let plan = Plan::from_arguments();
    eprintln!("chaos: --seed={}", plan.seed);
    let town = Town::build(&plan).await;
    let ledger = Arc::new(Ledger::default());
    let office = Office::open(&town, &plan, &ledger).await;
    let pairs = Pair::some(&town, &ledger, RESIDENTS).await;
    let recoveries = if plan.measures { probes::measure(&town, &office).await } else { Vec::new() };

    let watch = Stopwatch::start();
    let stop = CancellationToken::new();
    let trouble = async {
        trouble::make(&town, &plan).await;
        stop.cancel();
        watch.elapsed().as_secs()
    };
    let applying = Pair::work(&pairs, &town, plan.seed, &stop);
    let (seconds, (), ()) = tokio::join!(trouble, office.work(plan.seed, &stop), applying);
    trouble::take_stock(&town).await;

    let drained = drain::drain(&town, plan.drain_within).await;
    let verdict = check::check(&town, &ledger, &pairs).await;
    let report = Report { plan: &plan, seconds, recoveries: &recoveries, drained: &drained, verdict: &verdict };
    let path = report.print(&town);
    town.keep_logs(&plan);
    let complaints = report.complaints();
    assert!(complaints.is_empty() && verdict.is_good(), "{}:\n{}", path.display(), complaints.join("\n"));
    let killed_enough = !plan.has_time || deaths::fewest_deaths(&town) >= plan.kills;
    let enough = ledger.count() > 0 && town.tally.total() >= plan.faults && killed_enough;
    assert!(enough, "no promise was broken, but less went wrong than was asked for");
    town.close().await;
}
