//! Slowness does no harm elsewhere: a hanging gateway delays no other gateway, and a worker that finishes a job after
//! its lease has ended changes nothing.

use std::time::Duration;

use songda::sandbox::faults::FaultKind;

use crate::support::arrivals::assert_arrived_once;
use crate::support::desk::Desk;
use crate::support::office::decide;
use crate::support::process::signal;
use crate::support::settings::QUICK;
use crate::support::wait::wait_until;

#[tokio::test]
async fn a_hanging_gateway_delays_no_other() {
    let desk = Desk::builder().settings(&QUICK).open().await;
    desk.fault("sms_aliyun", FaultKind::TimeoutBefore).after(Duration::from_secs(30)).always();
    let decided = decide(&desk, 100).await;
    let world = desk.sandbox.world();
    wait_until("all parcels are ordered", async || world.parcels.counts().0 == 100).await;
    assert!(decided.iter().all(|one| world.phones.of(&one.phone).is_empty()), "no SMS arrived meanwhile");

    desk.end_faults();
    assert_arrived_once(&desk, &decided).await;
    desk.close().await;
}

/// When the open breaker's first pause ends, it allows one trial call, but no job is due yet: the failed jobs are due
/// again only later. The breaker must still allow the trial call when a job is due.
#[tokio::test]
async fn a_lane_whose_breaker_opened_works_again_after_a_quiet_time() {
    const MORE_THAN_A_BREAKER_ALLOWS: usize = 8;
    let desk = Desk::builder().settings(&QUICK).settings(&[("SONGDA_CLEAR_UP_AFTER", "3s")]).open().await;
    desk.fault("sms_aliyun", FaultKind::TimeoutBefore).always();
    let decided = decide(&desk, MORE_THAN_A_BREAKER_ALLOWS).await;
    let faults = &desk.sandbox.world().faults;
    let failed = async || faults.injected().values().sum::<u64>() >= MORE_THAN_A_BREAKER_ALLOWS as u64;
    wait_until("all calls failed", failed).await;
    let is_open = async || {
        let workers = desk.queue().live_workers().await.unwrap();
        let mut lanes = workers.values().flat_map(|worker| &worker.lanes);
        lanes.any(|lane| lane.lane == "push.sms_aliyun" && lane.breaker == "open")
    };
    wait_until("the breaker is open", is_open).await;
    desk.end_faults();
    assert_arrived_once(&desk, &decided).await;
    desk.close().await;
}

#[tokio::test]
async fn a_lane_makes_no_more_concurrent_calls_than_it_has_slots() {
    let desk = Desk::builder().settings(&[("SONGDA_SMS_ALIYUN_SLOTS", "2")]).without_worker().open().await;
    desk.fault("sms_aliyun", FaultKind::Slow).on("SendSms").after(Duration::from_millis(200)).always();
    let decided = decide(&desk, 8).await;
    let _worker = desk.worker();
    assert_arrived_once(&desk, &decided).await;
    assert_eq!(desk.sandbox.world().counters.at_once("sms_aliyun"), 2);
    desk.close().await;
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_settles_nothing() {
    let desk = Desk::builder().settings(&QUICK).without_worker().open().await;
    desk.fault("sms_aliyun", FaultKind::Slow).after(Duration::from_secs(30)).once();
    let decided = decide(&desk, 1).await;
    let slow = desk.worker();
    let has_sent = async || !desk.sandbox.world().phones.of(&decided[0].phone).is_empty();
    wait_until("the first worker has sent the message", has_sent).await;
    signal(&slow, "-STOP").await;
    let quick = desk.worker();
    assert_arrived_once(&desk, &decided).await;
    drop(quick);

    signal(&slow, "-CONT").await;
    let more = decide(&desk, 1).await;
    assert_arrived_once(&desk, &[decided, more].concat()).await;
    let outcomes = "select outcome from attempts a join jobs j on j.id = a.job_id where j.kind = 'push'
                    and j.unclear > 0 order by a.fence";
    let outcomes: Vec<String> = sqlx::query_scalar(outcomes).fetch_all(&desk.database).await.unwrap();
    assert_eq!(outcomes, ["lost", "found"], "the first worker's outcome is not stored");
    desk.close().await;
}
