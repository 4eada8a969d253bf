//! Readiness: a worker that hangs is not ready, and a worker whose gateway is slow is ready.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use songda::sandbox::faults::FaultKind;

use super::scrape::Scrape;
use crate::support::arrivals::assert_arrived_once;
use crate::support::desk::Desk;
use crate::support::locks::{lock, wait_for_blocked_on};
use crate::support::office::decide;
use crate::support::process::Watched;
use crate::support::wait::{wait_at_most, wait_until};

const LANE: &str = "push.sms_aliyun";

/// Returns the status of `/readyz`, and its detail.
async fn readiness(process: &Watched) -> (u16, String) {
    let reply = process.watch.get("/readyz").answer().await.unwrap();
    (reply.status.as_u16(), reply.text("/detail").unwrap_or_default())
}

#[tokio::test]
async fn a_worker_whose_lane_hangs_is_not_ready_until_the_lane_goes_on() {
    let desk = Desk::builder().without_worker().open().await;
    let decided = decide(&desk, 1).await;
    // The worker's claim of the job waits for this lock. So the lane hangs in one round of its loop, and the rest of
    // the worker still answers.
    let lock = lock(&desk, "jobs").await;
    let worker = desk.watched("work", &[("SONGDA_STALLED_AFTER", "3s"), ("SONGDA_LEASE", "1m")]).await;
    let is_stalled = async || {
        let (status, detail) = readiness(&worker).await;
        status == 503 && detail.contains(&format!("通道 {LANE} 停滞"))
    };
    wait_until("the worker is not ready", is_stalled).await;
    let address = worker.watch.base().authority().to_owned();
    let check = async || desk.outcome(&["healthcheck"], &[("SONGDA_WATCH_LISTEN", &address)]).await.status.success();
    assert!(!check().await, "songda healthcheck fails as well");
    assert_eq!(worker.watch.get("/healthz").success().await.unwrap().text("/status").unwrap(), "ok");
    let since = Scrape::of(&worker).await.sum("songda_lane_since_round_seconds", &[("lane", LANE)]);
    assert!(since > Some(1.0), "{since:?}");

    lock.commit().await.unwrap();
    wait_until("the worker is ready again", async || readiness(&worker).await.0 == 200).await;
    assert_arrived_once(&desk, &decided).await;
    assert!(check().await);
    desk.close().await;
    drop(worker);
}

#[tokio::test]
async fn a_worker_whose_gateway_is_slow_is_ready() {
    let mut desk = Desk::builder().without_worker().open().await;
    desk.fault("sms_aliyun", FaultKind::TimeoutBefore).after(Duration::from_secs(30)).always();
    decide(&desk, 1).await;
    let long_time_outs = [
        ("SONGDA_SMS_ALIYUN_TIMEOUT", "20s"),
        ("SONGDA_ATTEMPT_TIMEOUT", "1m"),
        ("SONGDA_LEASE", "62s"),
        ("SONGDA_SMS_ALIYUN_SLOTS", "1"),
    ];
    let worker = desk.watched("work", &long_time_outs).await;
    let lane = [("lane", LANE)];
    let busy = async || Scrape::of(&worker).await.sum("songda_lane_slots_busy", &lane) == Some(1.0);
    wait_until("the only slot is busy", busy).await;
    let mut before = 0.0;
    let has_new_round = async || {
        let scrape = Scrape::of(&worker).await;
        let since = scrape.sum("songda_lane_since_round_seconds", &lane).unwrap();
        assert_eq!(scrape.sum("songda_lane_slots_busy", &lane), Some(1.0), "the call still hangs");
        std::mem::replace(&mut before, since) > since
    };
    wait_at_most(Duration::from_secs(8), "the lane begins another round", has_new_round).await;
    assert_eq!(readiness(&worker).await.0, 200);
    desk.leave_jobs();
    drop(worker);
    desk.close().await;
}

#[tokio::test]
async fn an_api_whose_database_connections_are_all_in_use_is_ready() {
    let desk = Desk::builder().without_worker().open().await;
    let server = desk.watched("serve", &[("SONGDA_DATABASE_CONNECTIONS", "2")]).await;
    let api = server.api().await;
    let lock = lock(&desk, "sessions").await;
    let sign_in = async |code: &str| api.post("/v1/sessions/wechat").json(&json!({ "code": code })).answer().await;
    let busy = join_all([sign_in("wx-busy-1"), sign_in("wx-busy-2")]);
    let asked = async {
        wait_for_blocked_on(&desk, "sessions", 2).await;
        for listener in [&api, &server.watch] {
            let ready = join_all((0..20).map(|_| listener.get("/readyz").answer())).await;
            let statuses: Vec<u16> = ready.into_iter().map(|reply| reply.unwrap().status.as_u16()).collect();
            assert_eq!(statuses, [200; 20], "a balancer must not take it out for being busy");
        }
        lock.commit().await.unwrap();
    };
    let (signed_in, ()) = tokio::join!(busy, asked);
    assert!(signed_in.into_iter().all(|reply| reply.unwrap().status.is_success()));
    desk.close().await;
}
