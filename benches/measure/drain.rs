//! Waiting jobs, and how fast a worker that is started brings them out: into a gateway that answers at once, and into
//! one that takes 20 ms. Every attempt is a row in PostgreSQL before and after the call.

use std::time::Duration;

use crate::load::{closed_loop, per_second};
use crate::report::{Line, Sample, Target};
use crate::{Bench, Measured, decisions, limits, stores};

static INSTANT: Line =
    Line { what: "drain into an instant gateway", unit: "jobs/s", beside: "of a bare client", target: Target::None };
static SLOW: Line = Line {
    what: "drain into a gateway that takes 20 ms, 64 in flight",
    unit: "jobs/s",
    beside: "of a bare client",
    target: Target::RatioAtLeast(0.92),
};
static CPU: Line = Line { what: "worker: processor time for 1,000 jobs", unit: "s", beside: "", target: Target::None };
static STORES: Line =
    Line { what: "PostgreSQL and Redis: processor time for 1,000 jobs", unit: "s", beside: "", target: Target::None };
static MEMORY: Line = Line { what: "worker: most memory", unit: "MB", beside: "", target: Target::AtMost(30.0) };

/// How long a drain may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How many calls are under way at once.
pub const SLOTS: usize = 64;

/// What one drain showed.
struct Drained {
    rate: f64,
    cpu: f64,
    stores: f64,
    memory: f64,
}

/// Measures both gateways.
pub async fn measure(bench: &Bench) -> Measured<Vec<Sample>> {
    let slow = Duration::from_millis(20);
    let jobs = bench.size(20_000, 4_000);
    let bare_instant = limits::client(bench, jobs, Duration::ZERO).await?;
    let instant = drain(bench, jobs, Duration::ZERO).await?;
    let bare_slow = limits::client(bench, jobs, slow).await?;
    let through_slow = drain(bench, jobs, slow).await?;
    Ok(vec![
        INSTANT.beside(instant.rate, Some(bare_instant)),
        SLOW.beside(through_slow.rate, Some(bare_slow)),
        CPU.is(instant.cpu),
        STORES.is(instant.stores),
        MEMORY.is(instant.memory),
    ])
}

/// Starts a worker on waiting jobs. The clock runs from the first call to the moment when every end is recorded.
async fn drain(bench: &Bench, jobs: usize, delay: Duration) -> Measured<Drained> {
    seed(bench, jobs).await?;
    bench.sink.reset(delay);
    let stores_before = stores::cpu()?;
    let worker = bench.installation.work()?;
    let arrivals = bench.sink.received(jobs, PATIENCE).await?;
    bench.ledger.all_done(PATIENCE).await?;
    let end = bench.sink.now();
    let (cpu, stores, memory) = (worker.cpu()?, stores::cpu()? - stores_before, worker.peak_memory()?);
    worker.stop().await?;
    bench.ledger.all_recorded().await?;
    let begin = arrivals.iter().map(|arrival| arrival.at).min().unwrap_or_default();
    let rate = per_second(jobs, end - begin);
    Ok(Drained { rate, cpu: for_a_thousand(cpu, jobs), stores: for_a_thousand(stores, jobs), memory })
}

/// Has decisions taken while no worker runs: each leaves one job waiting.
async fn seed(bench: &Bench, jobs: usize) -> Measured<()> {
    const ROWS: usize = 200;
    let api = bench.installation.serve().await?;
    let token = bench.installation.token(&api).await?;
    closed_loop(api.address, 2, jobs / ROWS, |_| decisions::batch(&token, ROWS)).await?;
    api.process.stop().await
}

/// Seconds of processor time for a thousand jobs.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub fn for_a_thousand(time: Duration, jobs: usize) -> f64 {
    time.as_secs_f64() * 1_000.0 / jobs as f64
}
