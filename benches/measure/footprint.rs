//! Measures the memory of an idle API and an idle worker, and the time in which each starts.

use std::time::Duration;

use crate::against::stage::{self, Stage, Turn};
use crate::installation::Api;
use crate::library::Stopwatch;
use crate::load::closed_loop;
use crate::meter::{Cost, Meter};
use crate::process::Process;
use crate::report::{Line, Sample, Target};
use crate::{Bench, Measured, decisions};

/// The memory limit of an idle process, in MB.
const MEMORY: f64 = 40.0;
/// The time limit of a start, in milliseconds.
const START: f64 = 300.0;
const API_READY_NAME: &str = "API: start to ready";
const WORKER_READY_NAME: &str = "worker: start to the first call for a waiting job";
const API_MEMORY_NAME: &str = "API: idle memory";
const WORKER_MEMORY_NAME: &str = "worker: idle memory";

static API_READY: Line = Line { what: API_READY_NAME, unit: "ms", beside: "", target: Target::AtMost(START) };
static WORKER_READY: Line = Line { what: WORKER_READY_NAME, unit: "ms", beside: "", target: Target::AtMost(START) };
static API_MEMORY: Line = Line { what: API_MEMORY_NAME, unit: "MB", beside: "", target: Target::AtMost(MEMORY) };
static WORKER_MEMORY: Line = Line { what: WORKER_MEMORY_NAME, unit: "MB", beside: "", target: Target::AtMost(MEMORY) };

/// The time in which a process started, and the processor time that the start used.
struct Started {
    time: Duration,
    cost: Cost,
}

/// The measured values of an API and a worker: the start of each, and its memory in MB after some idle seconds.
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

/// Starts a worker while one job is due. The start ends when the worker calls the gateway for this job.
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

/// Starts an API and a worker, leaves them idle for three seconds, reads their memory, and stops them.
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

/// Compares the footprint with that of another commit. Each turn starts new processes, so turns share nothing.
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

/// Measures the API and the worker once.
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
