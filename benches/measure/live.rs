//! Measures live clients, which wait on the stream of events: what each one costs while it waits, compared with a
//! client of the bare framework, and how soon events reach all of them.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::try_join_all;

use crate::bare::Bare;
use crate::library::{MOST_STREAMS, Stopwatch};
use crate::load::closed_loop;
use crate::process::Process;
use crate::report::{Line, Sample, Target};
use crate::residents::Resident;
use crate::wire::{self, Connection};
use crate::{Bench, Measured, decisions};

static MEMORY: Line = Line {
    what: "live clients: memory for each",
    unit: "kB",
    beside: "bare framework",
    target: Target::RatioAtMost(1.3),
};
static REACHED: Line = Line {
    what: "live clients: decisions for all reach all, from the first request",
    unit: "s",
    beside: "",
    target: Target::AtMost(1.0),
};
static IDLE: Line = Line {
    what: "live clients: processor time of the API for a second of waiting",
    unit: "s",
    beside: "",
    target: Target::None,
};

/// Decisions in one request.
const ROWS: usize = 200;
/// How long clients are observed while nothing happens.
const REST: Duration = Duration::from_secs(10);

/// Measures waiting clients of the bare framework, then waiting clients of the product.
pub async fn measure(bench: &Bench) -> Measured<Vec<Sample>> {
    let count = bench.size(5_000, 1_000);
    let bare = Bare::start().await?;
    let follow = wire::request("GET", "/events", &[], "");
    let (clients, bare_each) = hold(&bare.process, bare.address, count, |_| follow.clone()).await?;
    drop(clients);
    bare.process.stop().await?;

    let api = bench.installation.serve().await?;
    let residents = Resident::sign_in(&api, count / MOST_STREAMS).await?;
    let follow = |number: usize| residents[number % residents.len()].follow();
    let (mut clients, each) = hold(&api.process, api.address, count, follow).await?;
    let cpu_before = api.process.cpu()?;
    tokio::time::sleep(REST).await;
    let idle = (api.process.cpu()? - cpu_before).as_secs_f64() / REST.as_secs_f64();

    let token = bench.installation.token(&api).await?;
    let batches: Vec<Vec<u8>> =
        residents.chunks(ROWS).map(|residents| decisions::batch_for(&token, residents)).collect();
    let watch = Stopwatch::start();
    let decide = closed_loop(api.address, batches.len(), batches.len(), |number| batches[number].clone());
    tokio::try_join!(decide, try_join_all(clients.iter_mut().map(event)))?;
    let reached = watch.elapsed();
    drop(clients);
    api.process.stop().await?;
    bench.clear().await?;
    Ok(vec![MEMORY.beside(each, Some(bare_each)), REACHED.is(reached.as_secs_f64()), IDLE.is(idle)])
}

/// Opens streams, and returns them with the memory that each costs the server, in kB.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
async fn hold(
    server: &Process,
    address: SocketAddr,
    count: usize,
    follow: impl Fn(usize) -> Vec<u8>,
) -> Measured<(Vec<Connection>, f64)> {
    let before = server.memory()?;
    let mut clients = Vec::with_capacity(count);
    for number in 0..count {
        let mut client = Connection::open(address).await?;
        client.send(&follow(number)).await?;
        // Once the head of the response has come, the server has opened the stream and keeps it open.
        let head = client.read_some().await?;
        if !head.starts_with(b"HTTP/1.1 200") {
            return Err(format!("client {number} is not held: {}", String::from_utf8_lossy(head)).into());
        }
        clients.push(client);
    }
    Ok((clients, (server.memory()? - before) * 1_000.0 / count as f64))
}

/// Waits until a client gets an event. Comments that keep the stream alive do not count.
async fn event(client: &mut Connection) -> Measured<()> {
    loop {
        let bytes = client.read_some().await?;
        if bytes.is_empty() {
            return Err("a live client was dropped".into());
        }
        if bytes.windows(5).any(|part| part == b"data:") {
            return Ok(());
        }
    }
}
