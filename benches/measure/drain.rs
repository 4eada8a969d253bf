//! How fast a newly started worker does waiting jobs: with a gateway that responds at once, and with one that responds
//! after 20 ms. PostgreSQL durably stores every claim before the call to the gateway, and every attempt after the call.

use std::time::Duration;

use crate::against::stage::{self, Stage, Turn};
use crate::load::{closed_loop, per_second};
use crate::meter::{Cost, Meter};
use crate::peers::{self, Peer};
use crate::report::{Line, Sample, Target};
use crate::{Bench, Measured, decisions, limits, stores};

static TO_BULLMQ: Line = Line {
    what: "drain into an instant gateway, beside BullMQ",
    unit: "jobs/s",
    beside: "BullMQ",
    target: Target::RatioAtLeast(1.5),
};
static TO_CELERY: Line = Line {
    what: "drain into an instant gateway, beside Celery",
    unit: "jobs/s",
    beside: "Celery",
    target: Target::RatioAtLeast(10.0),
};
static SLOW: Line =
    Line { what: SLOW_NAME, unit: "jobs/s", beside: "bare HTTP client", target: Target::RatioAtLeast(0.92) };
static SLOW_TO_BULLMQ: Line =
    Line { what: "the same, beside BullMQ", unit: "jobs/s", beside: "BullMQ", target: Target::None };
static CPU: Line = Line {
    what: "worker: processor time for 1,000 jobs",
    unit: "s",
    beside: "BullMQ",
    target: Target::RatioAtMost(0.4),
};
static STORES: Line =
    Line { what: "PostgreSQL and Redis: processor time for 1,000 jobs", unit: "s", beside: "", target: Target::None };
static MEMORY: Line = Line { what: "worker: most memory", unit: "MB", beside: "", target: Target::AtMost(30.0) };

static PROGRAM: Line = Line {
    what: "worker: pages of the program and its libraries, which all its processes share",
    unit: "MB",
    beside: "",
    target: Target::None,
};

const SLOW_NAME: &str = "drain into a gateway that takes 20 ms, 64 in flight";
const INSTANT: Duration = Duration::ZERO;
const TWENTY_MS: Duration = Duration::from_millis(20);

/// The time within which a worker must do all waiting jobs.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The result of one drain.
struct Drained {
    rate: f64,
    cost: Cost,
    stores: f64,
    memory: f64,
    program: f64,
}

/// Compares drains with those of another commit. Turns share nothing: each enqueues jobs and starts a worker.
pub struct Drain;

impl Stage for Drain {
    const LINES: &'static [stage::Line] =
        &[stage::Line::rate("drain into an instant gateway", "jobs/s"), stage::Line::rate(SLOW_NAME, "jobs/s")];
    const TURNS: usize = 3;
    const WARM_UPS: usize = 0;

    async fn start(_: &Bench) -> Measured<Self> {
        Ok(Self)
    }

    async fn turn(&self, bench: &Bench) -> Measured<Vec<Turn>> {
        let instant = drain(bench, bench.size(10_000, 2_000), INSTANT).await?;
        let slow = drain(bench, bench.size(4_000, 1_000), TWENTY_MS).await?;
        let turn = |drained: Drained| Turn { value: drained.rate, cost: Some(drained.cost) };
        Ok(vec![turn(instant), turn(slow)])
    }

    async fn stop(self, bench: &Bench) -> Measured<()> {
        bench.ledger.all_recorded().await
    }
}

/// Measures how fast the product and BullMQ do all waiting jobs, with the instant gateway and with the one that takes
/// 20 ms. Celery is measured with the instant gateway only.
pub async fn measure(bench: &Bench) -> Measured<Vec<Sample>> {
    let jobs = bench.size(20_000, 4_000);
    let bullmq = peers::bullmq();
    let ours = drain(bench, jobs, INSTANT).await?;
    let theirs = peer(bullmq.as_ref(), bench, jobs, INSTANT).await?;
    // Celery is slow enough to be measured on fewer jobs.
    let celery = peer(peers::celery().as_ref(), bench, jobs / 4, INSTANT).await?;
    let bare_slow = limits::client(bench, jobs, TWENTY_MS).await?;
    let ours_slow = drain(bench, jobs, TWENTY_MS).await?;
    let theirs_slow = peer(bullmq.as_ref(), bench, jobs, TWENTY_MS).await?;
    Ok(vec![
        TO_BULLMQ.beside(ours.rate, theirs.as_ref().map(|peer| peer.rate)),
        TO_CELERY.beside(ours.rate, celery.map(|peer| peer.rate)),
        SLOW.beside(ours_slow.rate, Some(bare_slow)),
        SLOW_TO_BULLMQ.beside(ours_slow.rate, theirs_slow.map(|peer| peer.rate)),
        CPU.beside(for_a_thousand(ours.cost.product, jobs), theirs.map(|peer| for_a_thousand(peer.cpu, jobs))),
        STORES.is(ours.stores),
        MEMORY.is(ours.memory),
        PROGRAM.is(ours.program),
    ])
}

async fn peer(peer: Option<&Peer>, bench: &Bench, jobs: usize, delay: Duration) -> Measured<Option<peers::Drained>> {
    match peer {
        Some(peer) => peer.drain(bench, jobs, delay).await.map(Some),
        None => Ok(None),
    }
}

/// Enqueues jobs, and then starts a worker that does them. The time counts from the first call to the gateway until all
/// jobs are recorded as done.
async fn drain(bench: &Bench, jobs: usize, delay: Duration) -> Measured<Drained> {
    seed(bench, jobs).await?;
    bench.sink.reset(delay);
    let stores_before = stores::cpu()?;
    let before = Meter::read(&bench.database, &[])?;
    let worker = bench.installation.work()?;
    let arrivals = bench.sink.received(jobs, TIMEOUT).await?;
    bench.ledger.all_done(TIMEOUT).await?;
    let end = bench.sink.now();
    let cost = Meter::read(&bench.database, &[&worker])?.cost_since(&before, jobs);
    let stores = stores::cpu()? - stores_before;
    let memory = worker.peak_memory()?;
    let program = worker.program_memory()?;
    worker.stop().await?;
    bench.ledger.all_recorded().await?;
    let begin = arrivals.iter().map(|arrival| arrival.at).min().unwrap_or_default();
    let rate = per_second(jobs, end - begin);
    Ok(Drained { rate, cost, stores: for_a_thousand(stores, jobs), memory, program })
}

/// Hands decisions in while no worker runs. Each leaves one job waiting.
pub async fn seed(bench: &Bench, jobs: usize) -> Measured<()> {
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
