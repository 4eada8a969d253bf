//! The time from the request with a decision to the call at the gateway, on an idle machine. It includes the API.

use std::collections::HashMap;
use std::time::Duration;

use crate::load::{Load, percentile};
use crate::report::{Line, Sample, Target};
use crate::sink::Arrival;
use crate::wire::Connection;
use crate::{Bench, Measured, decisions};

static MEDIAN: Line = Line {
    what: "idle: decision requested to gateway called, p50",
    unit: "ms",
    beside: "",
    target: Target::AtMost(3.0),
};
static WORST: Line = Line {
    what: "idle: decision requested to gateway called, p99",
    unit: "ms",
    beside: "",
    target: Target::AtMost(10.0),
};
static ANSWERED: Line =
    Line { what: "idle: decision requested to answered, p50", unit: "ms", beside: "", target: Target::None };

/// Hands decisions in one by one, with pauses between them.
pub async fn measure(bench: &Bench) -> Measured<Vec<Sample>> {
    const PAUSE: Duration = Duration::from_millis(20);
    const TIMEOUT: Duration = Duration::from_secs(10);
    let api = bench.installation.serve().await?;
    let worker = bench.installation.work()?;
    let token = bench.installation.token(&api).await?;
    let mut connection = Connection::open(api.address).await?;
    // The first decisions are not measured, because they open connections and fill caches.
    let warm = 20;
    let count = bench.size(1_000, 200);
    let mut sent = HashMap::new();
    let mut answered = Vec::new();
    bench.sink.reset(Duration::ZERO);
    for number in 0..warm + count {
        let (phone, request) = decisions::request(&token);
        let before = bench.sink.now();
        connection.exchange(&request).await?;
        if number >= warm {
            sent.insert(phone, before);
            answered.push(bench.sink.now() - before);
        }
        tokio::time::sleep(PAUSE).await;
    }
    let arrivals = bench.sink.received(warm + count, TIMEOUT).await?;
    worker.stop().await?;
    api.process.stop().await?;
    bench.ledger.all_recorded().await?;
    let called = delays(&arrivals, &sent);
    answered.sort_unstable();
    Ok(vec![
        MEDIAN.is(percentile(&called, 0.5)),
        WORST.is(percentile(&called, 0.99)),
        ANSWERED.is(percentile(&answered, 0.5)),
    ])
}

/// Returns the time from sending to arrival for each phone in `sent`, the shortest first.
pub fn delays(arrivals: &[Arrival], sent: &HashMap<u64, Duration>) -> Vec<Duration> {
    let delay = |arrival: &Arrival| Some(arrival.at.saturating_sub(*sent.get(&arrival.phone)?));
    let mut delays: Vec<Duration> = arrivals.iter().filter_map(delay).collect();
    delays.sort_unstable();
    delays
}

/// Returns the time on the sink's clock at which a load began.
pub fn beginning(bench: &Bench, load: &Load) -> Duration {
    bench.sink.now() - load.began.elapsed()
}
