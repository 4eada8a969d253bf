//! Redis is emptied while promises wait and while they are kept: no restart, nothing lost, nothing twice.

use crate::support::desk::Desk;
use crate::support::office::{came_once, decide};

#[tokio::test]
async fn a_flush_before_the_worker_hears_costs_nothing() {
    let desk = Desk::open_idle(&[]).await;
    let decided = decide(&desk, 5).await;
    desk.flush_redis().await;
    let _worker = desk.worker(None);
    came_once(&desk, &decided).await;
    desk.close().await;
}

#[tokio::test]
async fn a_running_worker_outlives_flushes() {
    let desk = Desk::open().await;
    let mut decided = decide(&desk, 20).await;
    desk.flush_redis().await;
    decided.extend(decide(&desk, 20).await);
    desk.flush_redis().await;
    came_once(&desk, &decided).await;
    desk.close().await;
}
