//! Several processes on one database and one Redis: their rate together, compared with the rate of a single process
//! multiplied by their number.
//!
//! Each process is limited by a setting and not by the machine: a worker by its slots for a gateway that takes 20 ms,
//! an API by its connections to the database. So two cores, which all parts share, are enough to show that more
//! processes do more. Each of several processes gets as much to do as a process that is measured alone, so that the
//! time of a start has the same weight in every measurement.

use std::time::Duration;

use futures_util::future::try_join_all;

use super::drain::seed;
use crate::installation::Api;
use crate::load::{closed_loop, per_second};
use crate::process::Process;
use crate::report::{Line, Sample, Target};
use crate::{Bench, Measured, decisions};

const fn line(what: &'static str, unit: &'static str, target: Target) -> Line {
    Line { what, unit, beside: "as many times what one does", target }
}

static TWO_WORKERS: Line =
    line("2 workers of 8 slots into a gateway that takes 20 ms", "jobs/s", Target::RatioAtLeast(0.9));
static FOUR_WORKERS: Line =
    line("4 workers of 8 slots into a gateway that takes 20 ms", "jobs/s", Target::RatioAtLeast(0.85));
static TWO_APIS: Line = line("decisions at 2 APIs of 2 connections to the database", "/s", Target::None);

/// Measures one, two and four workers, then one and two APIs.
pub async fn measure(bench: &Bench) -> Measured<Vec<Sample>> {
    let one = workers(bench, 1).await?;
    let two = workers(bench, 2).await?;
    let four = workers(bench, 4).await?;
    let alone = apis(bench, 1).await?;
    let together = apis(bench, 2).await?;
    bench.clear().await?;
    Ok(vec![
        TWO_WORKERS.beside(two, Some(2.0 * one)),
        FOUR_WORKERS.beside(four, Some(4.0 * one)),
        TWO_APIS.beside(together, Some(2.0 * alone)),
    ])
}

/// Measures jobs a second of `count` workers together, from the first call to the last. Fails unless each job is done
/// once, with one recorded attempt.
async fn workers(bench: &Bench, count: usize) -> Measured<f64> {
    const TIMEOUT: Duration = Duration::from_secs(120);
    let jobs = count * bench.size(2_000, 400);
    seed(bench, jobs).await?;
    bench.sink.reset(Duration::from_millis(20));
    let installation = bench.installation.with(&[("SONGDA_SMS_ALIYUN_SLOTS", "8")]);
    let workers: Vec<Process> = (0..count).map(|_| installation.work()).collect::<Measured<_>>()?;
    let arrivals = bench.sink.received(jobs, TIMEOUT).await?;
    bench.ledger.all_done(TIMEOUT).await?;
    try_join_all(workers.into_iter().map(Process::stop)).await?;
    bench.ledger.all_recorded().await?;
    let times = arrivals.iter().map(|arrival| arrival.at);
    let took = times.clone().max().unwrap_or_default() - times.min().unwrap_or_default();
    Ok(per_second(jobs, took))
}

/// Measures decisions a second of `count` APIs together.
async fn apis(bench: &Bench, count: usize) -> Measured<f64> {
    const CALLERS: usize = 16;
    let installation = bench.installation.with(&[("SONGDA_DATABASE_CONNECTIONS", "2")]);
    let mut apis: Vec<Api> = Vec::new();
    for _ in 0..count {
        apis.push(installation.serve().await?);
    }
    let token = installation.token(&apis[0]).await?;
    let each = bench.size(4_000, 800);
    let loads = apis.iter().map(|api| closed_loop(api.address, CALLERS, each, |_| decisions::request(&token).1));
    let rates = try_join_all(loads).await?.iter().map(crate::load::Load::rate).sum();
    try_join_all(apis.into_iter().map(|api| api.process.stop())).await?;
    Ok(rates)
}
