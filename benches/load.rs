//! Load on an HTTP server over connections that are kept alive: as fast as the server responds, or at a fixed rate. At
//! a fixed rate, the time of a request counts from when it *should* have been sent. So a stall of the server counts for
//! all requests that were due during the stall.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::try_join_all;

use crate::Measured;
use crate::library::Stopwatch;
use crate::wire::{Connection, Message};

/// The result of a load.
pub struct Load {
    /// Started just before the first request.
    pub began: Stopwatch,
    /// From the first request to the last response.
    pub took: Duration,
    /// The response time of each request, the shortest first.
    pub latencies: Vec<Duration>,
}

impl Load {
    /// Responses a second.
    pub fn rate(&self) -> f64 {
        per_second(self.latencies.len(), self.took)
    }

    /// Returns the time within which this share of the responses came, in milliseconds.
    pub fn percentile(&self, share: f64) -> f64 {
        percentile(&self.latencies, share)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub fn per_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// Returns the time that a share (0 to 1) of the sorted times does not exceed, in milliseconds.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
pub fn percentile(sorted: &[Duration], share: f64) -> f64 {
    let index = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1_000.0)
}

/// Sends `count` requests. Each is sent as soon as a connection is free.
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

/// Sends `per_second` requests a second for `time`, each over a connection that is free.
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
            Err(format!("a request got the response {status:?}: {}", body.chars().take(500).collect::<String>()).into())
        }
    }
}
