//! A gateway is removed from the settings while jobs wait for it: a push goes out on the next channel, and an order
//! becomes a dead letter for operators.

use songda::queue::heartbeat::{Heartbeat, LaneHeartbeat};

use crate::support::consents::consenting_resident;
use crate::support::desk::Desk;
use crate::support::office::{Office, result};
use crate::support::settings::QUICK;
use crate::support::wait::wait_until;

const SOON: [(&str, &str); 1] = [("SONGDA_ABANDONED_AFTER", "1s")];
/// The settings of an installation without WeChat and without EMS.
const FEWER_GATEWAYS: [(&str, &str); 2] = [("SONGDA_WECHAT_ENABLED", "false"), ("SONGDA_CARRIERS", "sf")];

#[tokio::test]
async fn the_jobs_of_a_removed_gateway_end_without_it() {
    let mut desk = Desk::builder().settings(&QUICK).settings(&SOON).without_worker().open().await;
    desk.leave_jobs();
    let worker = desk.worker();
    let resident = consenting_resident(&desk).await;
    drop(worker);
    let phone = resident.phone();
    Office::register(&desk).await.hand_in(&[result(phone)]).await;
    let notified = || desk.sandbox.world().phones.of(phone).iter().any(|message| message.fields.contains_key("status"));
    let state = async |lane: &str| {
        let state = "select state || coalesce(' ' || cause, '') from jobs where lane = $1";
        sqlx::query_scalar::<_, String>(state).bind(lane).fetch_one(&desk.database).await.unwrap()
    };

    // This heartbeat says that a worker of another release serves these lanes. That worker is possibly only slow, so
    // the jobs must wait.
    let lane = |name: &str| LaneHeartbeat {
        lane: name.to_owned(),
        breaker: "closed".to_owned(),
        slots: 1,
        busy: 0,
        per_second: 0.0,
    };
    let other = Heartbeat { lanes: vec![lane("push.wechat"), lane("courier.ems")] };
    desk.queue().send_heartbeat("other", &other).await.unwrap();
    let _worker = desk.worker_with(&FEWER_GATEWAYS);
    let overdue = "select bool_and(due_at < now() - interval '3 seconds') from jobs
                   where lane in ('push.wechat', 'courier.ems')";
    let overdue = async || {
        desk.queue().send_heartbeat("other", &other).await.unwrap();
        desk.scalar::<bool>(overdue).await
    };
    wait_until("the jobs are overdue", overdue).await;
    assert!(!notified() && state("courier.ems").await == "pending", "another worker serves these lanes");

    desk.queue().end_heartbeat("other").await.unwrap();
    wait_until("the SMS arrives", async || notified()).await;
    wait_until("the order is a dead letter", async || state("courier.ems").await.starts_with("dead")).await;
    let order = state("courier.ems").await;
    assert!(order.contains("carrier ems is not set up any more"), "{order}");
    assert_eq!(state("push.wechat").await, "done");
    assert_eq!(desk.sandbox.world().parcels.counts(), (0, 0));
    desk.close().await;
}
