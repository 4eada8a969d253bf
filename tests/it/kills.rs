//! SIGKILL at every boundary between two steps of keeping a promise: every notification arrives, no second order exists.

use std::time::Duration;

use songda::kill_point::Step;

use crate::decisions::decide;
use crate::harness::Desk;

/// Leases short enough to be waited for, and carriers that are believed soon.
const QUICK: [(&str, &str); 5] = [
    ("SONGDA_LEASE", "3s"),
    ("SONGDA_ATTEMPT_TIMEOUT", "1s"),
    ("SONGDA_CLEAR_UP_AFTER", "100ms"),
    ("SONGDA_ABSENT_FOR", "1s"),
    ("SONGDA_RETRY_FIRST", "100ms"),
];

/// Kills a worker at a boundary, lets another one finish, and looks at phones and carriers.
async fn killed_at(step: Step) {
    let mut desk = Desk::open_idle(&QUICK).await;
    let decided = decide(&desk, 3).await;
    let mut doomed = desk.worker(Some(step.name()));
    let died = tokio::time::timeout(Duration::from_secs(30), doomed.wait()).await;
    let died = died.unwrap_or_else(|_| panic!("the worker never came to {}", step.name())).unwrap();
    assert!(!died.success(), "the worker was killed at {}", step.name());
    let _successor = desk.worker(None);
    for one in &decided {
        one.arrived(&desk, Duration::from_secs(40)).await;
        one.came_once(&desk).await;
    }
    desk.leave_jobs();
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
