//! `songda top --once`: what operators see of lanes and workers.

use regex::Regex;

use crate::support::desk::{Desk, wait_until};
use crate::support::office::{Decided, came_once, decide};
use crate::support::servers::Servers;

#[tokio::test]
async fn a_frame_shows_what_waits_and_who_works() {
    let desk = Desk::open_idle(&[]).await;
    let decided = decide(&desk, 3).await;
    let waiting = desk.songda(&["top", "--once"]).await;
    assert!(waiting.contains("workers 0  due 6  running 0  dead 0"), "{waiting}");
    let lane = |name: &str| Regex::new(&format!(r"(?m)^ {name} +3 +0 +0 +0 .* 0/0 +no worker$")).unwrap();
    assert!(lane("push.sms_aliyun").is_match(&waiting) && lane("courier.ems").is_match(&waiting), "{waiting}");
    for Decided { number, phone, .. } in &decided {
        assert!(!waiting.contains(number.as_str()) && !waiting.contains(phone.as_str()), "{waiting}");
    }

    let worker = desk.worker(None);
    came_once(&desk, &decided).await;
    let queue = desk.queue();
    wait_until("the worker answers the roll", async || !queue.call_roll().await.unwrap().is_empty()).await;
    let working = desk.songda(&["top", "--once"]).await;
    assert!(working.contains("workers 1  due 0  running 0  dead 0"), "{working}");
    assert!(Regex::new(r"(?m)^ courier\.ems .* 0/64 +closed$").unwrap().is_match(&working), "{working}");
    desk.close().await;
    drop(worker);
}

#[tokio::test]
async fn trouble_is_said_and_is_a_failure() {
    let desk = Desk::open_idle(&[]).await;
    let output = desk.outcome(&["top", "--once"], &[("SONGDA_REDIS_URL", "redis://127.0.0.1:1")]).await;
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success() && said.contains("Redis does not answer"), "{said}");
    desk.close().await;
}

#[tokio::test]
async fn the_roll_forgets_the_dead_and_bears_strangers() {
    let desk = Desk::open_idle(&[]).await;
    let client = redis::Client::open(Servers::shared().redis()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let roll = format!("{}workers", desk.setting("SONGDA_REDIS_PREFIX"));
    let (seconds, _): (u64, u64) = redis::cmd("TIME").query_async(&mut connection).await.unwrap();
    let answers =
        [("dead", format!("{} {{}}", seconds - 60)), ("of-another-version", format!("{} {{}}", seconds + 60))];
    let _: i64 = redis::cmd("HSET").arg(&roll).arg(&answers).query_async(&mut connection).await.unwrap();

    let there = desk.queue().call_roll().await.unwrap();
    assert_eq!(there.keys().collect::<Vec<_>>(), ["of-another-version"]);
    let kept: Vec<String> = redis::cmd("HKEYS").arg(&roll).query_async(&mut connection).await.unwrap();
    assert_eq!(kept, ["of-another-version"], "the dead leave no trail");
    desk.close().await;
}
