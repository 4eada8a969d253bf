//! Replays of many dead letters say how far they are, bring back no more than they were asked to, and tell nobody twice.

use songda::demo::fresh_key;

use crate::delivery::consents::tap;
use crate::support::desk::{Desk, wait_until};
use crate::support::office::{back_office, result};

#[tokio::test]
async fn a_long_replay_says_how_far_it_is() {
    let mut desk = Desk::open_idle(&[]).await;
    sqlx::query(
        "insert into jobs (id, lane, kind, key, payload, state, due_at, created_at, finished_at)
         select gen_random_uuid(), 'courier.ems', 'order_parcel', 'dead:' || n, '{}', 'dead', now(), now(), now()
         from generate_series(1, 1250) n",
    )
    .execute(&desk.database)
    .await
    .unwrap();
    let replay = ["jobs", "replay", "--lane", "courier.ems", "--limit", "1200"];
    let output = desk.outcome(&replay, &[]).await;
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "1200 replayed\n");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "500 of 1200 replayed\n1000 of 1200 replayed\n");
    assert_eq!((desk.jobs("pending").await, desk.jobs("dead").await), (1200, 50));
    desk.leave_jobs();
    desk.close().await;
}

#[tokio::test]
async fn a_push_that_went_on_over_another_channel_is_not_sent_when_it_is_replayed() {
    let mut desk = Desk::open().await;
    desk.leave_jobs();
    // WeChat knows no such template, says this openid.
    let (resident, openid) = desk.resident_called(&format!("{}-40037", fresh_key())).await;
    tap(&desk, &openid, "accept").await;
    let phone = resident.applicant.phone;
    back_office(&desk).await.hand_in(&[result(phone)]).await.unwrap();
    let told = async || desk.sandbox.world().phones.of(phone).iter().any(|message| message.template != CODES);
    wait_until("SMS tells", told).await;
    let state = async || {
        let state = "select state from jobs where kind = 'push' and lane = 'push.wechat'";
        sqlx::query_scalar::<_, String>(state).fetch_one(&desk.database).await.unwrap()
    };
    assert_eq!(state().await, "dead");
    let asked = || desk.sandbox.world().counters.get("wechat", "send 40037");
    let before = asked();

    desk.songda(&["jobs", "replay", "--lane", "push.wechat"]).await;
    wait_until("there is no need", async || state().await == "done").await;
    assert_eq!(asked(), before, "WeChat was not asked again");
    desk.close().await;
}

/// The template of sign-in codes.
const CODES: &str = "SMS_100000000";
