//! Lists the lanes, which are the queues before the gateways, over the API.

use crate::support::desk::Desk;

#[tokio::test]
async fn a_lane_that_no_worker_serves_is_listed_with_its_jobs() {
    let mut desk = Desk::builder().without_worker().open().await;
    desk.leave_jobs();
    desk.execute(
        "insert into jobs (id, lane, kind, key, payload, due_at, offered_at, created_at)
         select gen_random_uuid(), lane, 'push', lane, '{}', now(), case when lane = 'push.owl' then now() end, now()
         from unnest(array['push.owl', 'courier.snail', 'push.wechat']) lane",
    )
    .await;
    let operator = desk.operator().await;
    let lanes = operator.caller().get("/ops/v1/lanes").success().await.unwrap().rows().unwrap().to_vec();
    let pending = |name: &str| {
        let lane = lanes.iter().find(|lane| lane["lane"] == name);
        lane.unwrap_or_else(|| panic!("no {name}: {lanes:?}"))["pending"].as_i64().unwrap()
    };
    assert_eq!(["push.wechat", "push.owl", "courier.snail", "courier.ems"].map(pending), [1, 1, 1, 0]);
    desk.close().await;
}
