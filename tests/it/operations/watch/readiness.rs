//! Readiness: a worker that lives and does not consume says so; one whose gateway is slow does not.

use std::time::Duration;

use songda::sandbox::faults::{FaultKind, FaultOrder, Often};

use super::scrape::Scrape;
use crate::resilience::silence::lock;
use crate::support::desk::{Desk, Watched, wait_at_most, wait_until};
use crate::support::office::{came_once, decide};

const LANE: &str = "push.sms_aliyun";

/// The status of `/readyz`, and what is wrong.
async fn readiness(process: &Watched) -> (u16, String) {
    let reply = process.watch.get("/readyz").answer().await.unwrap();
    (reply.status.as_u16(), reply.text("/detail").unwrap_or_default())
}

#[tokio::test]
async fn a_worker_whose_lane_hangs_is_not_ready() {
    let desk = Desk::open_idle(&[]).await;
    let decided = decide(&desk, 1).await;
    // What a lane claims, somebody else holds: it waits in the middle of its round, and everything else answers.
    let lock = lock(&desk, "jobs").await;
    let worker = desk.watched("work", &[("SONGDA_STALLED_AFTER", "3s"), ("SONGDA_LEASE", "1m")]).await;
    let stuck = async || {
        let (status, wrong) = readiness(&worker).await;
        status == 503 && wrong.contains(&format!("通道 {LANE} 停滞"))
    };
    wait_until("the worker says that it is stuck", stuck).await;
    let place = worker.watch.base().authority().to_owned();
    let check = async || desk.outcome(&["healthcheck"], &[("SONGDA_WATCH_LISTEN", &place)]).await.status.success();
    assert!(!check().await, "and songda healthcheck says so too");
    assert_eq!(worker.watch.get("/healthz").success().await.unwrap().text("/status").unwrap(), "ok");
    let since = Scrape::of(&worker).await.sum("songda_lane_since_round_seconds", &[("lane", LANE)]);
    assert!(since > Some(1.0), "{since:?}");

    lock.commit().await.unwrap();
    wait_until("it is ready again", async || readiness(&worker).await.0 == 200).await;
    came_once(&desk, &decided).await;
    assert!(check().await);
    desk.close().await;
    drop(worker);
}

#[tokio::test]
async fn a_lane_whose_gateway_is_slow_comes_round_all_the_same() {
    let mut desk = Desk::open_idle(&[]).await;
    let (gateway, delay) = ("sms_aliyun".to_owned(), Some(Duration::from_secs(30)));
    let hangs =
        FaultOrder { gateway, operation: None, fault: FaultKind::TimeoutBefore, often: Often::Share(1.0), delay };
    desk.sandbox.world().faults.order(hangs);
    decide(&desk, 1).await;
    let patient =
        [("SMS_ALIYUN_TIMEOUT", "20s"), ("ATTEMPT_TIMEOUT", "1m"), ("LEASE", "62s"), ("SMS_ALIYUN_SLOTS", "1")];
    let patient = patient.map(|(name, value)| (format!("SONGDA_{name}"), value));
    let worker = desk.watched("work", &patient.each_ref().map(|(name, value)| (name.as_str(), *value))).await;
    let lane = [("lane", LANE)];
    let busy = async || Scrape::of(&worker).await.sum("songda_lane_slots_busy", &lane) == Some(1.0);
    wait_until("its only slot is busy", busy).await;
    let mut before = 0.0;
    let comes_round = async || {
        let scrape = Scrape::of(&worker).await;
        let since = scrape.sum("songda_lane_since_round_seconds", &lane).unwrap();
        assert_eq!(scrape.sum("songda_lane_slots_busy", &lane), Some(1.0), "the call still hangs");
        std::mem::replace(&mut before, since) > since
    };
    wait_at_most(Duration::from_secs(8), "it comes round", comes_round).await;
    assert_eq!(readiness(&worker).await.0, 200);
    desk.leave_jobs();
    drop(worker);
    desk.close().await;
}
