//! Five hundred decisions a second for minutes: no queue may grow. The time of each decision counts from the moment at
//! which its request should have been sent.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use super::latency::{beginning, delays};
use crate::library::Stopwatch;
use crate::load::{fixed_rate, percentile};
use crate::report::{Line, Sample, Target};
use crate::{Bench, Measured, decisions};

const PER_SECOND: u32 = 500;

static ANSWERED: Line = Line {
    what: "500 decisions a second: requested to answered, p99",
    unit: "ms",
    beside: "",
    target: Target::AtMost(50.0),
};
static CALLED: Line = Line {
    what: "500 decisions a second: requested to gateway called, p99",
    unit: "ms",
    beside: "",
    target: Target::AtMost(50.0),
};
static AGE: Line = Line {
    what: "500 decisions a second: greatest age of a due job",
    unit: "s",
    beside: "",
    target: Target::AtMost(1.0),
};

/// Sends decisions at the fixed rate, and meanwhile observes the age of the oldest due job.
pub async fn measure(bench: &Bench) -> Measured<Vec<Sample>> {
    const TIMEOUT: Duration = Duration::from_secs(30);
    let time = bench.time(Duration::from_secs(300), Duration::from_secs(20));
    let api = bench.installation.serve().await?;
    let worker = bench.installation.work()?;
    let token = bench.installation.token(&api).await?;
    bench.sink.reset(Duration::ZERO);
    let phones = RefCell::new(Vec::new());
    let request = |number: usize| {
        let (phone, request) = decisions::request(&token);
        phones.borrow_mut().push((phone, number));
        request
    };
    let (load, oldest) =
        tokio::try_join!(fixed_rate(api.address, 64, PER_SECOND, time, request), greatest_age(bench, time))?;
    let phones = phones.into_inner();
    // Fails unless each decision has brought exactly one message.
    let arrivals = bench.sink.received(load.latencies.len(), TIMEOUT).await?;
    worker.stop().await?;
    api.process.stop().await?;
    bench.ledger.all_recorded().await?;
    let begin = beginning(bench, &load);
    let intended = |number: usize| begin + Duration::from_secs(1) / PER_SECOND * u32::try_from(number).unwrap_or(0);
    let sent: HashMap<u64, Duration> = phones.into_iter().map(|(phone, number)| (phone, intended(number))).collect();
    Ok(vec![
        ANSWERED.is(load.percentile(0.99)),
        CALLED.is(percentile(&delays(&arrivals, &sent), 0.99)),
        AGE.is(oldest.as_secs_f64()),
    ])
}

async fn greatest_age(bench: &Bench, time: Duration) -> Measured<Duration> {
    const POLL_EVERY: Duration = Duration::from_millis(100);
    let watch = Stopwatch::start();
    let mut greatest = Duration::ZERO;
    while watch.elapsed() < time {
        greatest = greatest.max(bench.ledger.oldest_due().await?);
        tokio::time::sleep(POLL_EVERY).await;
    }
    Ok(greatest)
}
