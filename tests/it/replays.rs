//! Replays of many dead letters say how far they are, and bring back no more than they were asked to.

use crate::harness::Desk;

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
