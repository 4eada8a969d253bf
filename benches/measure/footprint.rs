//! What the product costs while nothing happens, and how soon it is there.

use std::time::Duration;

use songda::domain::kernel::clock::Stopwatch;

use crate::load::closed_loop;
use crate::report::{Line, Sample, Target};
use crate::{Bench, Measured, decisions};

static API_READY: Line = Line { what: "API: start to ready", unit: "ms", beside: "", target: Target::AtMost(300.0) };
static WORKER_READY: Line = Line {
    what: "worker: start to the first call for a waiting job",
    unit: "ms",
    beside: "",
    target: Target::AtMost(300.0),
};
static API_MEMORY: Line = Line { what: "API: idle memory", unit: "MB", beside: "", target: Target::AtMost(40.0) };
static WORKER_MEMORY: Line = Line { what: "worker: idle memory", unit: "MB", beside: "", target: Target::AtMost(40.0) };

/// Measures both processes.
pub async fn measure(bench: &Bench) -> Measured<Vec<Sample>> {
    const REST: Duration = Duration::from_secs(3);
    let watch = Stopwatch::start();
    let api = bench.installation.serve().await?;
    let api_ready = watch.elapsed();
    let token = bench.installation.token(&api).await?;
    bench.sink.reset(Duration::ZERO);
    closed_loop(api.address, 1, 1, |_| decisions::request(&token).1).await?;
    let started_at = bench.sink.now();
    let worker = bench.installation.work()?;
    let first_call = bench.sink.received(1, REST).await?;
    let worker_ready = first_call.first().map(|arrival| arrival.at - started_at).unwrap_or_default();
    tokio::time::sleep(REST).await;
    let samples = vec![
        API_READY.is(milliseconds(api_ready)),
        WORKER_READY.is(milliseconds(worker_ready)),
        API_MEMORY.is(api.process.memory()?),
        WORKER_MEMORY.is(worker.memory()?),
    ];
    worker.stop().await?;
    api.process.stop().await?;
    Ok(samples)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
