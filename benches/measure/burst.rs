//! Hands in a hundred thousand decisions at once, in batches. The message of each decision must reach the gateway
//! exactly once. The most memory that the API and the worker used is measured.

use std::time::Duration;

use crate::load::{closed_loop, per_second};
use crate::report::{Line, Sample, Target};
use crate::{Bench, Measured, decisions};

static TAKEN: Line =
    Line { what: "burst of decisions in batches: taken in", unit: "rows/s", beside: "", target: Target::None };
static DELIVERED: Line = Line {
    what: "burst of decisions in batches: delivered and recorded, none lost",
    unit: "/s",
    beside: "",
    target: Target::AtLeast(2_600.0),
};
static API_MEMORY: Line = Line { what: "burst: most memory of the API", unit: "MB", beside: "", target: Target::None };
static WORKER_MEMORY: Line =
    Line { what: "burst: most memory of the worker", unit: "MB", beside: "", target: Target::AtMost(30.0) };

/// Hands all decisions in while a worker runs.
pub async fn measure(bench: &Bench) -> Measured<Vec<Sample>> {
    const ROWS: usize = 200;
    const CALLERS: usize = 4;
    const TIMEOUT: Duration = Duration::from_secs(600);
    let count = bench.size(100_000, 10_000);
    let api = bench.installation.serve().await?;
    let worker = bench.installation.work()?;
    let token = bench.installation.token(&api).await?;
    bench.sink.reset(Duration::ZERO);
    let load = closed_loop(api.address, CALLERS, count / ROWS, |_| decisions::batch(&token, ROWS)).await?;
    bench.sink.received(count, TIMEOUT).await?;
    bench.ledger.all_done(TIMEOUT).await?;
    let took = load.began.elapsed();
    let samples = vec![
        TAKEN.is(per_second(count, load.took)),
        DELIVERED.is(per_second(count, took)),
        API_MEMORY.is(api.process.peak_memory()?),
        WORKER_MEMORY.is(worker.peak_memory()?),
    ];
    worker.stop().await?;
    api.process.stop().await?;
    bench.ledger.all_recorded().await?;
    Ok(samples)
}
