//! `songda top --once`: lanes and workers at a glance.

use regex::Regex;

use crate::support::arrivals::{Decided, assert_arrived_once};
use crate::support::desk::Desk;
use crate::support::office::decide;
use crate::support::wait::wait_until;

#[tokio::test]
async fn a_frame_shows_the_waiting_jobs_and_the_workers() {
    let desk = Desk::builder().without_worker().open().await;
    let decided = decide(&desk, 3).await;
    let waiting = desk.songda(&["top", "--once"]).await;
    assert!(waiting.contains("workers 0  due 6  running 0  dead 0"), "{waiting}");
    let lane = |name: &str| Regex::new(&format!(r"(?m)^ {name} +3 +0 +0 +0 .* 0/0 +no worker$")).unwrap();
    assert!(lane("push.sms_aliyun").is_match(&waiting) && lane("courier.ems").is_match(&waiting), "{waiting}");
    for Decided { number, phone, .. } in &decided {
        assert!(!waiting.contains(number.as_str()) && !waiting.contains(phone.as_str()), "{waiting}");
    }

    let worker = desk.worker();
    assert_arrived_once(&desk, &decided).await;
    let is_seen = async || !desk.queue().call_roll().await.unwrap().is_empty();
    wait_until("the worker sends its heartbeat", is_seen).await;
    let working = desk.songda(&["top", "--once"]).await;
    assert!(working.contains("workers 1  due 0  running 0  dead 0"), "{working}");
    assert!(Regex::new(r"(?m)^ courier\.ems .* 0/64 +closed$").unwrap().is_match(&working), "{working}");
    desk.close().await;
    drop(worker);
}

#[tokio::test]
async fn a_frame_without_redis_says_so_and_the_command_fails() {
    let desk = Desk::builder().without_worker().open().await;
    let output = desk.outcome(&["top", "--once"], &[("SONGDA_REDIS_URL", "redis://127.0.0.1:1")]).await;
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success() && printed.contains("Redis does not answer"), "{printed}");
    desk.close().await;
}

#[tokio::test]
async fn dead_workers_disappear_and_heartbeats_of_another_version_are_tolerated() {
    let desk = Desk::builder().without_worker().open().await;
    let mut connection = desk.redis().await;
    let heartbeats = format!("{}workers", desk.redis_prefix());
    let (seconds, _): (u64, u64) = redis::cmd("TIME").query_async(&mut connection).await.unwrap();
    let entries =
        [("dead", format!("{} {{}}", seconds - 60)), ("of-another-version", format!("{} {{}}", seconds + 60))];
    let _: i64 = redis::cmd("HSET").arg(&heartbeats).arg(&entries).query_async(&mut connection).await.unwrap();

    let alive = desk.queue().call_roll().await.unwrap();
    assert_eq!(alive.keys().collect::<Vec<_>>(), ["of-another-version"]);
    let kept: Vec<String> = redis::cmd("HKEYS").arg(&heartbeats).query_async(&mut connection).await.unwrap();
    assert_eq!(kept, ["of-another-version"], "the entry of the dead worker is deleted");
    desk.close().await;
}
