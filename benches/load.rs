//! Load on an HTTP server over connections that are kept alive: as fast as it answers, or at a fixed rate whatever it
//! does. At a fixed rate time counts from when a request *should* have left, so that a server that stalls is charged
//! for all who would have come meanwhile.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::try_join_all;
use songda::domain::kernel::clock::Stopwatch;

use crate::Measured;
use crate::wire::{Connection, Message};

/// What came of it.
pub struct Load {
    /// Runs since just before the first request.
    pub began: Stopwatch,
    /// From the first request to the last answer.
    pub took: Duration,
    /// How long each answer took, the shortest first.
    pub latencies: Vec<Duration>,
}

impl Load {
    /// Answers a second.
    pub fn rate(&self) -> f64 {
        per_second(self.latencies.len(), self.took)
    }

    /// The time within which this share of the answers came, in milliseconds.
    pub fn percentile(&self, share: f64) -> f64 {
        percentile(&self.latencies, share)
    }
}

/// How many a second.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub fn per_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// The time within which this share of sorted times lies, in milliseconds.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
pub fn percentile(sorted: &[Duration], share: f64) -> f64 {
    let index = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1_000.0)
}

/// Sends `count` requests, each as soon as one of the connections is free.
pub async fn closed_loop(
    address: SocketAddr,
    connections: usize,
    count: usize,
    request: impl Fn(usize) -> Vec<u8>,
) -> Measured<Load> {
    let next = AtomicUsize::new(0);
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(address).await?);
    }
    let watch = Stopwatch::start();
    let workers = open.into_iter().map(async |mut connection| {
        let mut latencies = Vec::with_capacity(count / connections + 1);
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Measured::Ok(latencies);
            }
            let request = request(number);
            let sent = Stopwatch::start();
            must_succeed(&connection.exchange(&request).await?)?;
            latencies.push(sent.elapsed());
        }
    });
    let latencies = try_join_all(workers).await?;
    Ok(gathered(watch, latencies))
}

/// Sends `per_second` requests a second for some time, over as many connections as are free at their moment.
pub async fn fixed_rate(
    address: SocketAddr,
    connections: usize,
    per_second: u32,
    time: Duration,
    request: impl Fn(usize) -> Vec<u8>,
) -> Measured<Load> {
    let next = AtomicUsize::new(0);
    let between = Duration::from_secs(1) / per_second;
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(address).await?);
    }
    let watch = Stopwatch::start();
    let workers = open.into_iter().map(async |mut connection| {
        let mut latencies = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let intended = between * u32::try_from(number)?;
            if intended >= time {
                return Measured::Ok(latencies);
            }
            let request = request(number);
            tokio::time::sleep(intended.saturating_sub(watch.elapsed())).await;
            must_succeed(&connection.exchange(&request).await?)?;
            latencies.push(watch.elapsed().saturating_sub(intended));
        }
    });
    let latencies = try_join_all(workers).await?;
    Ok(gathered(watch, latencies))
}

fn gathered(began: Stopwatch, latencies: Vec<Vec<Duration>>) -> Load {
    let took = began.elapsed();
    let mut latencies = latencies.concat();
    latencies.sort_unstable();
    Load { began, took, latencies }
}

fn must_succeed(answer: &Message<'_>) -> Measured<()> {
    match answer.status() {
        Some(200..=399) => Ok(()),
        status => {
            let body = String::from_utf8_lossy(answer.body);
            Err(format!("a request was answered {status:?}: {}", body.chars().take(500).collect::<String>()).into())
        }
    }
}
