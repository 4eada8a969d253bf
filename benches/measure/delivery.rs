//! The whole product under load: the API gets decisions as fast as it accepts them, and the worker sends their messages
//! to the gateway.

use std::time::Duration;

use crate::against::stage::{self, Stage, Turn, metered};
use crate::installation::Api;
use crate::limits::SLOTS;
use crate::load::{closed_loop, per_second};
use crate::measure::drain::for_a_thousand;
use crate::process::{Process, cpu_of_thread};
use crate::report::{Line, Sample, Target};
use crate::{Bench, Measured, SINK, decisions};

const DELIVERED_NAME: &str = "decision through the API to delivered and recorded, under load";

static DELIVERED: Line = Line { what: DELIVERED_NAME, unit: "/s", beside: "", target: Target::AtLeast(2_600.0) };
static API_CPU: Line =
    Line { what: "API: processor time for 1,000 decisions", unit: "s", beside: "", target: Target::None };
static SINK_CPU: Line = Line {
    what: "the gateway's own share: processor time for 1,000 calls",
    unit: "s",
    beside: "",
    target: Target::None,
};

/// An API, a worker, and the back-office system's token.
pub struct Delivery {
    api: Api,
    worker: Process,
    token: String,
}

impl Delivery {
    /// Reports this many decisions, and waits until their messages have arrived. Returns the time from the first
    /// request until all jobs are recorded as done.
    async fn deliver(&self, bench: &Bench, count: usize) -> Measured<Duration> {
        const TIMEOUT: Duration = Duration::from_secs(120);
        bench.sink.reset(Duration::ZERO);
        let load = closed_loop(self.api.address, SLOTS, count, |_| decisions::request(&self.token).1).await?;
        bench.sink.received(count, TIMEOUT).await?;
        bench.ledger.all_done(TIMEOUT).await?;
        Ok(load.began.elapsed())
    }
}

impl Stage for Delivery {
    const LINES: &'static [stage::Line] = &[stage::Line::rate(DELIVERED_NAME, "/s")];
    const TURNS: usize = 6;
    const WARM_UPS: usize = 1;

    async fn start(bench: &Bench) -> Measured<Self> {
        let api = bench.installation.serve().await?;
        let worker = bench.installation.work()?;
        let token = bench.installation.token(&api).await?;
        Ok(Self { api, worker, token })
    }

    async fn turn(&self, bench: &Bench) -> Measured<Vec<Turn>> {
        let count = bench.size(4_000, 1_000);
        let processes = [&self.api.process, &self.worker];
        Ok(vec![metered(bench, &processes, count, self.deliver(bench, count)).await?])
    }

    async fn stop(self, bench: &Bench) -> Measured<()> {
        self.worker.stop().await?;
        self.api.process.stop().await?;
        bench.ledger.all_recorded().await
    }
}

/// Measures the time from the first request until all jobs are recorded as done, and processor time.
pub async fn measure(bench: &Bench) -> Measured<Vec<Sample>> {
    let count = bench.size(20_000, 4_000);
    let delivery = Delivery::start(bench).await?;
    let api_before = delivery.api.process.cpu()?;
    let sink_before = cpu_of_thread(SINK)?;
    let took = delivery.deliver(bench, count).await?;
    let api_cpu = delivery.api.process.cpu()? - api_before;
    let sink_cpu = cpu_of_thread(SINK)? - sink_before;
    delivery.stop(bench).await?;
    Ok(vec![
        DELIVERED.is(per_second(count, took)),
        API_CPU.is(for_a_thousand(api_cpu, count)),
        SINK_CPU.is(for_a_thousand(sink_cpu, count)),
    ])
}
