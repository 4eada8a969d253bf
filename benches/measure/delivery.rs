//! Everything at once: decisions come in through the API as fast as it takes them, and go out to the gateway.

use std::time::Duration;

use crate::limits::SLOTS;
use crate::load::{closed_loop, per_second};
use crate::measure::drain::for_a_thousand;
use crate::process::cpu_of_thread;
use crate::report::{Line, Sample, Target};
use crate::{Bench, Measured, decisions};

static DELIVERED: Line = Line {
    what: "decision through the API to delivered and recorded, under load",
    unit: "/s",
    beside: "",
    target: Target::AtLeast(2_600.0),
};
static API_CPU: Line =
    Line { what: "API: processor time for 1,000 decisions", unit: "s", beside: "", target: Target::None };
static SINK_CPU: Line = Line {
    what: "the gateway's own share: processor time for 1,000 calls",
    unit: "s",
    beside: "",
    target: Target::None,
};

/// Measures from the first request to the last recorded end.
pub async fn measure(bench: &Bench) -> Measured<Vec<Sample>> {
    const PATIENCE: Duration = Duration::from_secs(120);
    let (api, worker) = (bench.installation.serve().await?, bench.installation.work()?);
    let token = bench.installation.token(&api).await?;
    bench.sink.reset(Duration::ZERO);
    let count = bench.size(20_000, 4_000);
    let (api_before, sink_before) = (api.process.cpu()?, cpu_of_thread("sink")?);
    let load = closed_loop(api.address, SLOTS, count, |_| decisions::request(&token).1).await?;
    bench.sink.received(count, PATIENCE).await?;
    bench.ledger.all_done(PATIENCE).await?;
    let took = load.began.elapsed();
    let (api_cpu, sink_cpu) = (api.process.cpu()? - api_before, cpu_of_thread("sink")? - sink_before);
    worker.stop().await?;
    api.process.stop().await?;
    bench.ledger.all_recorded().await?;
    Ok(vec![
        DELIVERED.is(per_second(count, took)),
        API_CPU.is(for_a_thousand(api_cpu, count)),
        SINK_CPU.is(for_a_thousand(sink_cpu, count)),
    ])
}
