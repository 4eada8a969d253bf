//! Redis is emptied while promises wait and while they are kept: no restart, nothing lost, nothing twice.

use std::time::Duration;

use crate::decisions::decide;
use crate::harness::Desk;

#[tokio::test]
async fn a_flush_before_the_worker_hears_costs_nothing() {
    let desk = Desk::open_idle(&[]).await;
    let decided = decide(&desk, 5).await;
    desk.flush_redis().await;
    let _worker = desk.worker(None);
    for one in &decided {
        one.arrived(&desk, Duration::from_secs(20)).await;
        one.came_once(&desk).await;
    }
    desk.close().await;
}

#[tokio::test]
async fn a_running_worker_outlives_flushes() {
    let desk = Desk::open().await;
    let first = decide(&desk, 20).await;
    desk.flush_redis().await;
    let second = decide(&desk, 20).await;
    desk.flush_redis().await;
    for one in first.iter().chain(&second) {
        one.arrived(&desk, Duration::from_secs(30)).await;
        one.came_once(&desk).await;
    }
    desk.close().await;
}
