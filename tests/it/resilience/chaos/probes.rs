//! How long the product takes to recover from a single fault of each kind, with the leases and time-outs of production.

use std::time::Duration;

use serde_json::json;
use songda::demo::http::Caller;
use songda::demo::wait;
use songda::domain::kernel::clock::Stopwatch;
use songda::kill_point::Boundary;

use super::dice::Dice;
use super::office::Office;
use super::town::Town;
use super::{deaths, trouble};
use crate::support::wait::wait_at_most;

pub struct Recovery {
    /// The event that ends the recovery.
    pub what: &'static str,
    pub times: Vec<Duration>,
    /// The time limit of the recovery; `None` if there is no limit.
    pub target: Option<Duration>,
}

/// How often each recovery is measured.
const TIMES: usize = 5;
const TIME_OUT: Duration = Duration::from_secs(120);

/// Measures all recoveries, without any load.
pub async fn measure(town: &Town, office: &Office) -> Vec<Recovery> {
    let mut all = Vec::new();
    let mut taken_over = Vec::new();
    let mut settled = Vec::new();
    for _ in 0..TIMES {
        let (first, then) = killed_worker(town, office).await;
        taken_over.push(first);
        settled.push(then);
    }
    all.push(recovery("another worker took over the job of a killed one", taken_over, Some(15)));
    all.push(recovery("the message of a killed worker was found at the gateway and settled", settled, None));
    all.push(recovery(
        "all waiting jobs are offered again after a flush of Redis",
        repeated(async || flushed(town, office).await).await,
        Some(30),
    ));
    all.push(recovery(
        "all waiting jobs are offered again after a restart of Redis without data",
        repeated(async || restarted(town, office).await).await,
        Some(30),
    ));
    all.push(recovery(
        "a decision reached its gateway after its API died between commit and offer",
        repeated(async || committed(town, office).await).await,
        Some(2),
    ));
    all
}

fn recovery(what: &'static str, times: Vec<Duration>, target: Option<u64>) -> Recovery {
    Recovery { what, times, target: target.map(Duration::from_secs) }
}

async fn repeated(probe: impl AsyncFn() -> Duration) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..TIMES {
        times.push(probe().await);
    }
    times
}

/// Kills a worker within a call. Returns the times until another worker has claimed its job and until the job is done.
async fn killed_worker(town: &Town, office: &Office) -> (Duration, Duration) {
    let slow = json!({"gateway": "sms_aliyun", "operation": "SendSms", "fault": "slow", "times": 1, "delay_ms": 8_000});
    town.control.post("/_sandbox/faults").json(&slow).success().await.unwrap();
    let one = Office::decided();
    office.hand_in(&one, &mut Dice::new(0, "probe")).await;
    wait_for_message(town, &one.phone).await;
    let holder = "select worker from jobs where state = 'pending' and lease_until > now() and kind = 'push'";
    let worker: String = sqlx::query_scalar(holder).fetch_one(&town.database).await.unwrap();
    let (pid, _) = worker.split_once('-').unwrap();
    let worker = town.workers.iter().find(|worker| worker.pid().to_string() == pid).expect("one of the workers");
    worker.kill(0).await;
    let watch = Stopwatch::start();
    let other = "select exists (select from jobs where kind = 'push' and state = 'pending' and fence > 1)
                 or not exists (select from jobs where kind = 'push' and state = 'pending')";
    wait_at_most(TIME_OUT, "another worker has it", async || holds(town, other).await).await;
    let taken_over = watch.elapsed();
    wait_until_nothing_is_owed(town).await;
    (taken_over, watch.elapsed())
}

/// Empties Redis while many jobs wait. Returns the time until all jobs are done.
async fn flushed(town: &Town, office: &Office) -> Duration {
    office.hand_in_at_once(300).await;
    trouble::flush(town).await.unwrap();
    let watch = Stopwatch::start();
    wait_until_nothing_is_owed(town).await;
    watch.elapsed()
}

/// Kills Redis, adds many jobs, and starts Redis again without data. Returns the time from the start until all jobs are
/// done.
async fn restarted(town: &Town, office: &Office) -> Duration {
    let mut own = town.own.lock().await;
    own.order("kill redis").await;
    office.hand_in_at_once(300).await;
    own.order("empty redis").await;
    own.order("start redis").await;
    let watch = Stopwatch::start();
    wait_until_nothing_is_owed(town).await;
    watch.elapsed()
}

/// Kills an API process after it committed a decision and before it added the decision's jobs to the queue. Returns the
/// time from the kill until the applicant's phone has the message about the decision.
async fn committed(town: &Town, office: &Office) -> Duration {
    let blueprint = town.doomed(true);
    let listens = blueprint.settings.iter().rev().find(|(name, _)| name == "SONGDA_LISTEN").unwrap();
    let api = Caller::new(format!("http://{}", listens.1).parse().unwrap()).unwrap();
    let death = async { (deaths::dies_at(town, Boundary::Committed).await, Stopwatch::start()) };
    let one = Office::decided();
    let decision = async {
        wait_at_most(TIME_OUT, "the doomed API listens", async || api.get("/healthz").answer().await.is_ok()).await;
        assert!(!office.try_at(&api, &one).await, "an API that died gives no answer");
    };
    let ((died, watch), ()) = tokio::join!(death, decision);
    assert!(died, "the API died at its step");
    wait_for_message(town, &one.phone).await;
    let took = watch.elapsed();
    // The client got no answer, so it hands the same in again.
    office.hand_in(&one, &mut Dice::new(0, "probe")).await;
    took
}

/// Waits until a message is on the phone, even if the gateway has not answered the worker yet.
async fn wait_for_message(town: &Town, phone: &str) {
    let has_come = async || Ok((!town.sandbox.phone(phone).await?.is_empty()).then_some(()));
    wait::until("the message", TIME_OUT, has_come).await.unwrap();
}

async fn wait_until_nothing_is_owed(town: &Town) {
    let owed = "select not exists (select from jobs where state = 'pending' and kind <> 'track_parcel')";
    wait_at_most(TIME_OUT, "nothing is owed", async || holds(town, owed).await).await;
}

async fn holds(town: &Town, question: &'static str) -> bool {
    sqlx::query_scalar(question).fetch_one(&town.database).await.unwrap()
}
