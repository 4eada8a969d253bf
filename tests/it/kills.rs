//! SIGKILL at every boundary between two steps of keeping a promise: every notification arrives, no second order exists.

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use songda::demo::fresh_key;
use songda::kill_point::Step;
use tokio::process::Child;

use crate::decisions::{Accepted, came_once, decide};
use crate::harness::Desk;

const SIGKILL: i32 = 9;

/// Leases short enough to be waited for, and gateways that are believed soon.
pub const QUICK: [(&str, &str); 12] = [
    ("SONGDA_LEASE", "4s"),
    ("SONGDA_ATTEMPT_TIMEOUT", "2s"),
    ("SONGDA_WECHAT_TIMEOUT", "600ms"),
    ("SONGDA_SMS_ALIYUN_TIMEOUT", "600ms"),
    ("SONGDA_EMS_TIMEOUT", "600ms"),
    ("SONGDA_SF_TIMEOUT", "600ms"),
    ("SONGDA_CLEAR_UP_AFTER", "100ms"),
    ("SONGDA_ABSENT_FOR", "1s"),
    ("SONGDA_MESSAGE_ABSENT_FOR", "1s"),
    ("SONGDA_RECEIPT_WITHIN", "3s"),
    ("SONGDA_CONFIRM_WITHIN", "5s"),
    ("SONGDA_RETRY_FIRST", "100ms"),
];

/// Kills a worker at a boundary, lets another one finish, and looks at phones and carriers.
async fn killed_at(step: Step) {
    let desk = Desk::open_idle(&QUICK).await;
    let decided = decide(&desk, 3).await;
    died(desk.worker(Some(step)), step).await;
    let _successor = desk.worker(None);
    came_once(&desk, &decided, Duration::from_secs(40)).await;
    desk.close().await;
}

/// Waits until a process was killed at its kill point.
pub async fn died(mut doomed: Child, step: Step) {
    let died = tokio::time::timeout(Duration::from_secs(30), doomed.wait()).await;
    let died = died.unwrap_or_else(|_| panic!("nobody came to {}", step.name())).unwrap();
    assert_eq!(died.signal(), Some(SIGKILL), "killed at {}", step.name());
}

#[tokio::test]
async fn after_the_commit() {
    let desk = Desk::open_idle(&QUICK).await;
    let _worker = desk.worker(None);
    let (accepted, key) = (Accepted::on(&desk).await, fresh_key());
    let doomed = desk.server(Some(Step::Committed)).await;
    let officer = desk.officer_at(&doomed.api, Accepted::AGENCY).await;

    let lost = accepted.grant(officer.caller(), &key).await;
    assert!(lost.is_err(), "the officer sees no answer: {lost:?}");
    died(doomed.process, Step::Committed).await;

    let officer = desk.officer(Accepted::AGENCY).await;
    let again = accepted.grant(officer.caller(), &key).await.unwrap();
    assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (200, "true"), "{}", again.body);
    assert_eq!(again.at("/state").unwrap(), "granted");
    came_once(&desk, &[accepted.decided()], Duration::from_secs(20)).await;
    desk.close().await;
}

#[tokio::test]
async fn before_the_claim() {
    killed_at(Step::Heard).await;
}

#[tokio::test]
async fn after_the_claim() {
    killed_at(Step::Claimed).await;
}

#[tokio::test]
async fn before_the_call() {
    killed_at(Step::Prepared).await;
}

#[tokio::test]
async fn after_the_call() {
    killed_at(Step::Called).await;
}

#[tokio::test]
async fn after_the_settlement() {
    killed_at(Step::Settled).await;
}

#[tokio::test]
async fn after_the_acknowledgement() {
    killed_at(Step::Acknowledged).await;
}
