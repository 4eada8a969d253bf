//! What is slow harms nobody else: a gateway that hangs delays no other, and a worker that comes too late changes nothing.

use std::time::Duration;

use serde_json::json;
use songda::demo::fresh_phone;
use songda::sandbox::faults::{FaultKind, FaultOrder, Often};
use tokio::process::{Child, Command};

use crate::resilience::kills::QUICK;
use crate::support::desk::{Desk, wait_until};
use crate::support::office::{came_once, decide};

fn order(desk: &Desk, fault: FaultKind, often: Often) {
    let (gateway, delay) = ("sms_aliyun".to_owned(), Some(Duration::from_secs(30)));
    desk.sandbox.world().faults.order(FaultOrder { gateway, operation: None, fault, often, delay });
}

#[tokio::test]
async fn a_gateway_that_hangs_delays_no_other() {
    let desk = Desk::open_with(&QUICK).await;
    order(&desk, FaultKind::TimeoutBefore, Often::Share(1.0));
    let decided = decide(&desk, 100).await;
    let world = desk.sandbox.world();
    let ordered = async || world.parcels.counts().0 == 100;
    wait_until("all parcels are ordered", ordered).await;
    assert!(decided.iter().all(|one| world.phones.of(&one.phone).is_empty()), "no phone rang meanwhile");

    world.faults.cancel_orders();
    came_once(&desk, &decided).await;
    desk.close().await;
}

/// What failed comes back after the breaker's first pause. So the one call that may try the gateway finds nothing to try
/// it with, and must be there again when something comes.
#[tokio::test]
async fn a_quiet_lane_whose_gateway_was_away_is_worked_again() {
    const MORE_THAN_A_BREAKER_BEARS: usize = 8;
    let later = [&QUICK[..], &[("SONGDA_CLEAR_UP_AFTER", "3s")]].concat();
    let desk = Desk::open_with(&later).await;
    let faults = &desk.sandbox.world().faults;
    let (gateway, fault, often) = ("sms_aliyun".to_owned(), FaultKind::TimeoutBefore, Often::Share(1.0));
    faults.order(FaultOrder { gateway, operation: None, fault, often, delay: None });
    let decided = decide(&desk, MORE_THAN_A_BREAKER_BEARS).await;
    let failed = async || faults.injected().values().sum::<u64>() >= MORE_THAN_A_BREAKER_BEARS as u64;
    wait_until("all of them failed", failed).await;
    let left_alone = async || {
        let workers = desk.queue().call_roll().await.unwrap();
        let mut lanes = workers.values().flat_map(|worker| &worker.lanes);
        lanes.any(|lane| lane.lane == "push.sms_aliyun" && lane.breaker == "open")
    };
    wait_until("the gateway is left alone", left_alone).await;
    faults.cancel_orders();
    came_once(&desk, &decided).await;
    desk.close().await;
}

#[tokio::test]
async fn a_lane_makes_no_more_calls_at_once_than_it_has_slots() {
    let desk = Desk::open_idle(&[("SONGDA_SMS_ALIYUN_SLOTS", "2")]).await;
    let (gateway, delay) = ("sms_aliyun".to_owned(), Some(Duration::from_millis(200)));
    let (operation, fault, often) = (Some("SendSms".to_owned()), FaultKind::Slow, Often::Share(1.0));
    desk.sandbox.world().faults.order(FaultOrder { gateway, operation, fault, often, delay });
    let decided = decide(&desk, 8).await;
    let _worker = desk.worker(None);
    came_once(&desk, &decided).await;
    assert_eq!(desk.sandbox.world().counters.at_once("sms_aliyun"), 2);
    desk.close().await;
}

/// Whoever wants to sign in waits for no burst of decisions: codes have a lane of their own before the same gateway.
#[tokio::test]
async fn a_sign_in_code_overtakes_the_pushes_that_wait() {
    let desk = Desk::open_idle(&[("SONGDA_SMS_ALIYUN_SLOTS", "2")]).await;
    let (gateway, delay) = ("sms_aliyun".to_owned(), Some(Duration::from_secs(1)));
    let (operation, fault, often) = (Some("SendSms".to_owned()), FaultKind::Slow, Often::Share(1.0));
    let world = desk.sandbox.world();
    world.faults.order(FaultOrder { gateway, operation, fault, often, delay });
    let decided = decide(&desk, 200).await;
    let _worker = desk.worker(None);
    let told = || decided.iter().filter(|one| !world.phones.of(&one.phone).is_empty()).count();
    wait_until("the first pushes are sent", async || told() > 0).await;

    let phone = fresh_phone();
    desk.api.post("/v1/login-codes").json(&json!({"phone": phone})).success().await.unwrap();
    wait_until("the code is on the phone", async || !world.phones.of(&phone).is_empty()).await;
    assert!(told() < decided.len(), "pushes that were promised before still wait");

    world.faults.cancel_orders();
    came_once(&desk, &decided).await;
    desk.close().await;
}

async fn signal(worker: &Child, signal: &str) {
    Command::new("kill").args([signal, &worker.id().unwrap().to_string()]).status().await.unwrap();
}

#[tokio::test]
async fn a_worker_that_comes_too_late_settles_nothing() {
    let desk = Desk::open_idle(&QUICK).await;
    order(&desk, FaultKind::Slow, Often::Times(1));
    let decided = decide(&desk, 1).await;
    let slow = desk.worker(None);
    let has_sent = async || !desk.sandbox.world().phones.of(&decided[0].phone).is_empty();
    wait_until("the first worker has sent it", has_sent).await;
    signal(&slow, "-STOP").await;
    let quick = desk.worker(None);
    came_once(&desk, &decided).await;
    drop(quick);

    signal(&slow, "-CONT").await;
    let more = decide(&desk, 1).await;
    came_once(&desk, &[decided, more].concat()).await;
    let attempts = "select outcome from attempts a join jobs j on j.id = a.job_id where j.kind = 'push'
                    and j.unclear > 0 order by a.fence";
    let attempts: Vec<String> = sqlx::query_scalar(attempts).fetch_all(&desk.database).await.unwrap();
    assert_eq!(attempts, ["lost", "found"], "what the first worker believes is not written down");
    desk.close().await;
}
