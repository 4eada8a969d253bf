//! Replays dead letters: jobs that failed for good.

use songda::demo::fresh_key;

use crate::support::consents::tap;
use crate::support::desk::Desk;
use crate::support::office::{Office, result};
use crate::support::wait::wait_until;

/// The SMS template of sign-in codes.
const CODES: &str = "SMS_100000000";

#[tokio::test]
async fn a_long_replay_reports_its_progress_and_stops_at_its_limit() {
    let mut desk = Desk::builder().without_worker().open().await;
    desk.execute(
        "insert into jobs (id, lane, kind, key, payload, state, due_at, created_at, finished_at)
         select gen_random_uuid(), 'courier.ems', 'order_parcel', 'dead:' || n, '{}', 'dead', now(), now(), now()
         from generate_series(1, 1250) n",
    )
    .await;
    let replay = ["jobs", "replay", "--lane", "courier.ems", "--limit", "1200"];
    let output = desk.outcome(&replay, &[]).await;
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "1200 replayed\n");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "500 of 1200 replayed\n1000 of 1200 replayed\n");
    assert_eq!((desk.jobs("pending").await, desk.jobs("dead").await), (1200, 50));
    desk.leave_jobs();
    desk.close().await;
}

#[tokio::test]
async fn a_replayed_push_is_not_sent_if_another_channel_delivered_the_message() {
    let mut desk = Desk::open().await;
    desk.leave_jobs();
    // WeChat in the sandbox answers each message to an openid that ends in 40037 with error 40037: the template does
    // not exist.
    let resident = desk.resident_named(&format!("{}-40037", fresh_key())).await;
    tap(&desk, resident.openid(), "accept").await;
    let phone = resident.phone();
    Office::register(&desk).await.hand_in(&[result(phone)]).await;
    let world = desk.sandbox.world();
    let notified = async || world.phones.of(phone).iter().any(|message| message.template != CODES);
    wait_until("the SMS arrives", notified).await;
    let state =
        async || desk.scalar::<String>("select state from jobs where kind = 'push' and lane = 'push.wechat'").await;
    assert_eq!(state().await, "dead");
    let calls = || world.counters.get("wechat", "send 40037");
    let before = calls();

    desk.songda(&["jobs", "replay", "--lane", "push.wechat"]).await;
    wait_until("the push ends", async || state().await == "done").await;
    assert_eq!(calls(), before, "WeChat is not called again");
    desk.close().await;
}
