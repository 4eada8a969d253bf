//! What the product costs while it is idle, and how long it takes to start.

use std::time::Duration;

use crate::against::stage::{self, Stage, Turn};
use crate::installation::Api;
use crate::library::Stopwatch;
use crate::load::closed_loop;
use crate::meter::{Cost, Meter};
use crate::process::Process;
use crate::report::{Line, Sample, Target};
use crate::{Bench, Measured, decisions};

/// The most that an idle process may hold, in MB.
const MEMORY: f64 = 40.0;
/// The longest start, in milliseconds.
const START: f64 = 300.0;
const API_READY_NAME: &str = "API: start to ready";
const WORKER_READY_NAME: &str = "worker: start to the first call for a waiting job";
const API_MEMORY_NAME: &str = "API: idle memory";
const WORKER_MEMORY_NAME: &str = "worker: idle memory";

static API_READY: Line = Line { what: API_READY_NAME, unit: "ms", beside: "", target: Target::AtMost(START) };
static WORKER_READY: Line = Line { what: WORKER_READY_NAME, unit: "ms", beside: "", target: Target::AtMost(START) };
static API_MEMORY: Line = Line { what: API_MEMORY_NAME, unit: "MB", beside: "", target: Target::AtMost(MEMORY) };
static WORKER_MEMORY: Line = Line { what: WORKER_MEMORY_NAME, unit: "MB", beside: "", target: Target::AtMost(MEMORY) };

/// The cost of a start.
struct Started {
    time: Duration,
    cost: Cost,
}

/// Both processes, started and idle.
struct Idle {
    api: Started,
    worker: Started,
    api_memory: f64,
    worker_memory: f64,
}

async fn start_api(bench: &Bench) -> Measured<(Api, Started)> {
    let before = Meter::read(&bench.database, &[])?;
    let watch = Stopwatch::start();
    let api = bench.installation.serve().await?;
    let time = watch.elapsed();
    let cost = Meter::read(&bench.database, &[&api.process])?.cost_since(&before, 1);
    Ok((api, Started { time, cost }))
}

/// Starts a worker for which one job waits.
async fn start_worker(bench: &Bench) -> Measured<(Process, Started)> {
    const TIMEOUT: Duration = Duration::from_secs(3);
    let before = Meter::read(&bench.database, &[])?;
    let started_at = bench.sink.now();
    let worker = bench.installation.work()?;
    let calls = bench.sink.received(1, TIMEOUT).await?;
    let cost = Meter::read(&bench.database, &[&worker])?.cost_since(&before, 1);
    let time = calls.first().map(|call| call.at - started_at).unwrap_or_default();
    Ok((worker, Started { time, cost }))
}

/// Starts both processes, leaves them alone for some seconds, and stops them.
async fn idle(bench: &Bench) -> Measured<Idle> {
    const REST: Duration = Duration::from_secs(3);
    let (api, api_start) = start_api(bench).await?;
    let token = bench.installation.token(&api).await?;
    bench.sink.reset(Duration::ZERO);
    closed_loop(api.address, 1, 1, |_| decisions::request(&token).1).await?;
    let (worker, worker_start) = start_worker(bench).await?;
    tokio::time::sleep(REST).await;
    let api_memory = api.process.memory()?;
    let worker_memory = worker.memory()?;
    worker.stop().await?;
    api.process.stop().await?;
    Ok(Idle { api: api_start, worker: worker_start, api_memory, worker_memory })
}

/// Nothing is shared between turns: each starts both processes.
pub struct Footprint;

impl Stage for Footprint {
    const LINES: &'static [stage::Line] = &[
        stage::Line::bounded(API_READY_NAME, "ms", START),
        stage::Line::bounded(WORKER_READY_NAME, "ms", START),
        stage::Line::bounded(API_MEMORY_NAME, "MB", MEMORY),
        stage::Line::bounded(WORKER_MEMORY_NAME, "MB", MEMORY),
    ];
    const TURNS: usize = 4;
    const WARM_UPS: usize = 0;

    async fn start(_: &Bench) -> Measured<Self> {
        Ok(Self)
    }

    async fn turn(&self, bench: &Bench) -> Measured<Vec<Turn>> {
        let idle = idle(bench).await?;
        let start = |start: Started| Turn { value: milliseconds(start.time), cost: Some(start.cost) };
        let memory = |value| Turn { value, cost: None };
        Ok(vec![start(idle.api), start(idle.worker), memory(idle.api_memory), memory(idle.worker_memory)])
    }

    async fn stop(self, bench: &Bench) -> Measured<()> {
        bench.ledger.all_recorded().await
    }
}

/// Measures both processes.
pub async fn measure(bench: &Bench) -> Measured<Vec<Sample>> {
    let idle = idle(bench).await?;
    Ok(vec![
        API_READY.is(milliseconds(idle.api.time)),
        WORKER_READY.is(milliseconds(idle.worker.time)),
        API_MEMORY.is(idle.api_memory),
        WORKER_MEMORY.is(idle.worker_memory),
    ])
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
