//! Measures what this machine can do without the product: its limits, one after the other.

use std::time::Duration;

use crate::against::stage::{self, Stage, Turn};
use crate::bare::Bare;
use crate::limits::{SLOTS, client, inserts, rings};
use crate::load::closed_loop;
use crate::report::{Line, Sample, Target};
use crate::{Bench, Measured, wire};

const NAMES: [&str; 7] = [
    "limit: the bare framework's shortest response, 64 connections",
    "limit: the same with one durable insert",
    "limit: durable one-row inserts, 1 client",
    "limit: durable one-row inserts, 32 clients",
    "limit: rings through a Redis stream, one after the other",
    "limit: a bare HTTP client into the instant gateway, 64 in flight",
    "limit: the same into a gateway that takes 20 ms",
];

const fn limit(at: usize) -> Line {
    Line { what: NAMES[at], unit: "/s", beside: "", target: Target::None }
}

const fn control(at: usize) -> stage::Line {
    stage::Line::control(NAMES[at])
}

static LINES: [Line; 7] = [limit(0), limit(1), limit(2), limit(3), limit(4), limit(5), limit(6)];

/// The measurement of the limits, with the bare server that two of them need.
pub struct Limits {
    bare: Bare,
}

impl Limits {
    /// Measures the rates of all limits: with `many` operations if one takes little time, and otherwise with `few` or a
    /// quarter of that.
    async fn rates(&self, bench: &Bench, many: usize, few: usize) -> Measured<[f64; 7]> {
        let address = self.bare.address;
        let hello = closed_loop(address, SLOTS, many, |_| wire::request("GET", "/answers/2", &[], "")).await?;
        let durable = closed_loop(address, SLOTS, few, |_| wire::request("POST", "/rows", &[], "{}")).await?;
        Ok([
            hello.rate(),
            durable.rate(),
            inserts(1, few / 4).await?,
            inserts(32, few).await?,
            rings(few).await?,
            client(bench, many, Duration::ZERO).await?,
            client(bench, few, Duration::from_millis(20)).await?,
        ])
    }
}

impl Stage for Limits {
    const LINES: &'static [stage::Line] =
        &[control(0), control(1), control(2), control(3), control(4), control(5), control(6)];
    const TURNS: usize = 2;
    const WARM_UPS: usize = 0;

    async fn start(_: &Bench) -> Measured<Self> {
        Ok(Self { bare: Bare::start().await? })
    }

    async fn turn(&self, bench: &Bench) -> Measured<Vec<Turn>> {
        let rates = self.rates(bench, bench.size(50_000, 10_000), bench.size(4_000, 1_000)).await?;
        Ok(rates.map(|value| Turn { value, cost: None }).into())
    }

    async fn stop(self, _: &Bench) -> Measured<()> {
        self.bare.process.stop().await
    }
}

pub async fn measure(bench: &Bench) -> Measured<Vec<Sample>> {
    let limits = Limits::start(bench).await?;
    let rates = limits.rates(bench, bench.size(50_000, 10_000), bench.size(20_000, 4_000)).await?;
    limits.stop(bench).await?;
    Ok(LINES.iter().zip(rates).map(|(line, rate)| line.is(rate)).collect())
}
