//! Measures how fast the API accepts decisions while no worker runs: one by one, compared with a bare handler that
//! makes one durable insert, and in batches.

use crate::against::stage::{self, Stage, Turn, metered};
use crate::bare::Bare;
use crate::installation::Api;
use crate::limits::SLOTS;
use crate::load::{Load, closed_loop, per_second};
use crate::report::{Line, Sample, Target};
use crate::{Bench, Measured, decisions, wire};

/// Decisions in a batch.
const ROWS: usize = 200;
const ONE_NAME: &str = "decisions, one a request, 64 connections";
const BATCHES_NAME: &str = "decisions in batches of 200";

static ONE: Line =
    Line { what: ONE_NAME, unit: "/s", beside: "bare with one durable insert", target: Target::RatioAtLeast(0.6) };
static ANSWERED: Line = Line { what: "decisions, one a request: p99", unit: "ms", beside: "", target: Target::None };
static BATCHES: Line = Line { what: BATCHES_NAME, unit: "rows/s", beside: "", target: Target::AtLeast(6_000.0) };

/// An API without a worker, and the back-office system's token.
pub struct Decisions {
    api: Api,
    token: String,
}

impl Decisions {
    async fn one_by_one(&self, count: usize) -> Measured<Load> {
        closed_loop(self.api.address, SLOTS, count, |_| decisions::request(&self.token).1).await
    }

    async fn in_batches(&self, batches: usize) -> Measured<Load> {
        const CALLERS: usize = 4;
        closed_loop(self.api.address, CALLERS, batches, |_| decisions::batch(&self.token, ROWS)).await
    }
}

impl Stage for Decisions {
    const LINES: &'static [stage::Line] =
        &[stage::Line::rate(ONE_NAME, "/s"), stage::Line::rate(BATCHES_NAME, "rows/s")];
    const TURNS: usize = 6;
    const WARM_UPS: usize = 1;

    async fn start(bench: &Bench) -> Measured<Self> {
        let api = bench.installation.serve().await?;
        let token = bench.installation.token(&api).await?;
        Ok(Self { api, token })
    }

    async fn turn(&self, bench: &Bench) -> Measured<Vec<Turn>> {
        let count = bench.size(4_000, 1_000);
        let batches = bench.size(40, 10);
        let api = [&self.api.process];
        let one = metered(bench, &api, count, async { Ok(self.one_by_one(count).await?.took) }).await?;
        let rows = batches * ROWS;
        let batches = metered(bench, &api, rows, async { Ok(self.in_batches(batches).await?.took) }).await?;
        Ok(vec![one, batches])
    }

    async fn stop(self, bench: &Bench) -> Measured<()> {
        self.api.process.stop().await?;
        bench.clear().await
    }
}

/// Measures the bare handler, then the API, with no worker running.
pub async fn measure(bench: &Bench) -> Measured<Vec<Sample>> {
    let count = bench.size(20_000, 4_000);
    let bare = Bare::start().await?;
    let body = "x".repeat(decisions::request("").1.len());
    let limit = closed_loop(bare.address, SLOTS, count, |_| wire::request("POST", "/rows", &[], &body)).await?;
    bare.process.stop().await?;
    let decisions = Decisions::start(bench).await?;
    let one = decisions.one_by_one(count).await?;
    let batches = decisions.in_batches(count / ROWS).await?;
    decisions.stop(bench).await?;
    Ok(vec![
        ONE.beside(one.rate(), Some(limit.rate())),
        ANSWERED.is(one.percentile(0.99)),
        BATCHES.is(per_second(count / ROWS * ROWS, batches.took)),
    ])
}
