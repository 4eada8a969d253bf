//! What the API alone takes in: decisions one by one, beside a bare handler with one durable insert, and in batches.

use crate::bare::Bare;
use crate::limits::SLOTS;
use crate::load::{closed_loop, per_second};
use crate::report::{Line, Sample, Target};
use crate::{Bench, Measured, decisions, wire};

static ONE: Line = Line {
    what: "decisions, one a request, 64 connections",
    unit: "/s",
    beside: "bare with one durable insert",
    target: Target::RatioAtLeast(0.6),
};
static ANSWERED: Line = Line { what: "decisions, one a request: p99", unit: "ms", beside: "", target: Target::None };
static BATCHES: Line =
    Line { what: "decisions in batches of 200", unit: "rows/s", beside: "", target: Target::AtLeast(6_000.0) };

/// Measures the bare handler, then the API, with no worker running.
pub async fn measure(bench: &Bench) -> Measured<Vec<Sample>> {
    const ROWS: usize = 200;
    const CALLERS: usize = 4;
    let count = bench.size(20_000, 4_000);
    let bare = Bare::start().await?;
    let body = "x".repeat(decisions::request("").1.len());
    let limit = closed_loop(bare.address, SLOTS, count, |_| wire::request("POST", "/rows", &[], &body)).await?;
    bare.process.stop().await?;
    let api = bench.installation.serve().await?;
    let token = bench.installation.token(&api).await?;
    let one = closed_loop(api.address, SLOTS, count, |_| decisions::request(&token).1).await?;
    let batches = closed_loop(api.address, CALLERS, count / ROWS, |_| decisions::batch(&token, ROWS)).await?;
    api.process.stop().await?;
    bench.clear().await?;
    Ok(vec![
        ONE.beside(one.rate(), Some(limit.rate())),
        ANSWERED.is(one.percentile(0.99)),
        BATCHES.is(per_second(count / ROWS * ROWS, batches.took)),
    ])
}
