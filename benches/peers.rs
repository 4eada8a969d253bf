//! The peers of the product: the job queues BullMQ and Celery, if `script/bench-peers` installed them. They use the
//! same Redis and the same sink as the product, and do the same jobs: one worker process with its default settings does
//! waiting jobs with 64 calls in flight.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use crate::load::per_second;
use crate::process::Process;
use crate::{Bench, Measured, limits};

/// An installed peer.
pub struct Peer {
    name: &'static str,
    fill: Vec<String>,
    work: Vec<String>,
    home: PathBuf,
}

/// The result of a peer (another job queue) that did all its waiting jobs.
pub struct Drained {
    /// Jobs a second, from the first call to the last.
    pub rate: f64,
    /// Processor time of the worker.
    pub cpu: Duration,
}

/// BullMQ, if it is installed.
pub fn bullmq() -> Option<Peer> {
    installed("BullMQ", "node_modules/bullmq", "node bullmq.js fill", "node bullmq.js work")
}

/// Celery, if it is installed.
pub fn celery() -> Option<Peer> {
    let work = "venv/bin/celery --app celery_app worker --pool gevent --concurrency 64 --loglevel warning";
    installed("Celery", "venv/bin/celery", "venv/bin/python celery_app.py", work)
}

fn installed(name: &'static str, proof: &str, fill: &str, work: &str) -> Option<Peer> {
    let home = Path::new("var/peers").canonicalize().ok()?;
    if !home.join(proof).exists() {
        eprintln!("bench: {name} is not compared: script/bench-peers installs it");
        return None;
    }
    let words = |line: &str| line.split(' ').map(str::to_owned).collect();
    Some(Peer { name, fill: words(fill), work: words(work), home })
}

impl Peer {
    /// Enqueues jobs, and then starts a worker that does them.
    pub async fn drain(&self, bench: &Bench, jobs: usize, delay: Duration) -> Measured<Drained> {
        const TIMEOUT: Duration = Duration::from_secs(300);
        bench.sink.reset(delay);
        let environment =
            [("SINK_URL", format!("http://{}/", bench.sink.address)), ("MESSAGE", limits::MESSAGE.to_owned())];
        let filled = self.command(&self.fill).arg(jobs.to_string()).envs(environment.clone()).status().await?;
        if !filled.success() {
            return Err(format!("{} did not enqueue the jobs: {filled}", self.name).into());
        }
        let log = self.home.join("worker.log");
        let worker = Process::start(self.name, &mut self.command(&self.work), environment, &log)?;
        // A peer that calls the gateway twice for a job is still measured. The run prints how many calls the peer made.
        let reached = bench.sink.reached(jobs, TIMEOUT).await;
        let arrivals = reached.map_err(|error| format!("{}: {error}", self.name))?;
        if arrivals.len() > jobs {
            eprintln!("bench: {} made {} calls for {jobs} jobs", self.name, arrivals.len());
        }
        let cpu = worker.cpu()?;
        worker.stop().await?;
        let times = || arrivals.iter().map(|arrival| arrival.at);
        let took = times().max().unwrap_or_default() - times().min().unwrap_or_default();
        Ok(Drained { rate: per_second(jobs, took), cpu })
    }

    fn command(&self, words: &[String]) -> Command {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(&self.home);
        command
    }
}
