//! Each process needs only the keys that its work needs.

use std::fs;

use crate::support::arrivals::assert_arrived_once;
use crate::support::desk::Desk;
use crate::support::office::decide;

#[tokio::test]
async fn a_worker_needs_no_token_keys() {
    let desk = Desk::builder().without_worker().open().await;
    let folder = desk.folder.path_of("worker-keys");
    fs::create_dir(&folder).unwrap();
    fs::copy(desk.folder.join("keys/key-ring"), format!("{folder}/key-ring")).unwrap();
    let worker = desk.watched("work", &[("SONGDA_KEYS", &folder)]).await;
    let decided = decide(&desk, 2).await;
    assert_arrived_once(&desk, &decided).await;
    drop(worker);
    desk.close().await;
}
