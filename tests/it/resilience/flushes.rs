//! Redis is emptied while jobs wait and while they are processed: no restart is needed, and nothing is lost or done
//! twice.

use crate::support::arrivals::assert_arrived_once;
use crate::support::desk::Desk;
use crate::support::office::decide;

#[tokio::test]
async fn jobs_are_done_if_redis_is_emptied_before_a_worker_reads_them() {
    let desk = Desk::builder().without_worker().open().await;
    let decided = decide(&desk, 5).await;
    desk.flush_redis().await;
    let _worker = desk.worker();
    assert_arrived_once(&desk, &decided).await;
    desk.close().await;
}

#[tokio::test]
async fn a_running_worker_goes_on_after_redis_is_emptied() {
    let desk = Desk::open().await;
    let mut decided = decide(&desk, 20).await;
    desk.flush_redis().await;
    decided.extend(decide(&desk, 20).await);
    desk.flush_redis().await;
    assert_arrived_once(&desk, &decided).await;
    desk.close().await;
}
