//! What was promised to a gateway that is used no more ends well: a push goes on over the next channel, an order is for
//! people.

use songda::queue::heartbeat::{LanePresent, Present};

use crate::delivery::consents::tap;
use crate::resilience::kills::QUICK;
use crate::support::desk::{Desk, wait_until};
use crate::support::office::{back_office, result};

const SOON: [(&str, &str); 1] = [("SONGDA_ABANDONED_AFTER", "1s")];
/// An installation without WeChat and without the post.
const LESS: [(&str, &str); 2] = [("SONGDA_WECHAT_ENABLED", "false"), ("SONGDA_CARRIERS", "sf")];

#[tokio::test]
async fn jobs_of_a_gateway_that_is_off_are_ended_without_it() {
    let mut desk = Desk::open_idle(&[&QUICK[..], &SOON].concat()).await;
    desk.leave_jobs();
    let worker = desk.worker(None);
    let (resident, openid) = desk.resident().await;
    tap(&desk, &openid, "accept").await;
    drop(worker);
    let phone = resident.applicant.phone;
    back_office(&desk).await.hand_in(&[result(phone)]).await.unwrap();
    let told = || desk.sandbox.world().phones.of(phone).iter().any(|message| message.fields.contains_key("status"));
    let state = async |lane: &str| {
        let state = "select state || coalesce(' ' || cause, '') from jobs where lane = $1";
        sqlx::query_scalar::<_, String>(state).bind(lane).fetch_one(&desk.database).await.unwrap()
    };

    // A worker of another release has those lanes, and is only slow.
    let lane = |name: &str| {
        let (lane, breaker) = (name.to_owned(), "closed".to_owned());
        LanePresent { lane, breaker, slots: 1, busy: 0, per_second: 0.0 }
    };
    let other = Present { lanes: vec![lane("push.wechat"), lane("courier.ems")] };
    desk.queue().answer_roll("other", &other).await.unwrap();
    let _less = desk.worker_with(&LESS);
    let overdue = "select bool_and(due_at < now() - interval '3 seconds') from jobs
                   where lane in ('push.wechat', 'courier.ems')";
    let overdue = async || {
        desk.queue().answer_roll("other", &other).await.unwrap();
        sqlx::query_scalar::<_, bool>(overdue).fetch_one(&desk.database).await.unwrap()
    };
    wait_until("they are overdue", overdue).await;
    assert!(!told() && state("courier.ems").await == "pending", "somebody has these lanes");

    desk.queue().leave_roll("other").await.unwrap();
    wait_until("SMS tells", async || told()).await;
    wait_until("the order is for people", async || state("courier.ems").await.starts_with("dead")).await;
    assert!(
        state("courier.ems").await.contains("carrier ems is not set up any more"),
        "{}",
        state("courier.ems").await
    );
    assert_eq!(state("push.wechat").await, "done");
    assert_eq!(desk.sandbox.world().parcels.counts(), (0, 0));
    desk.close().await;
}
