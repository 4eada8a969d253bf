//! No job is tried for ever: neither a job that kills its workers, nor a job whose outcome cannot be stored.

use songda::kill_point::Boundary;

use crate::support::arrivals::assert_arrived_once;
use crate::support::consents::consenting_resident;
use crate::support::desk::Desk;
use crate::support::office::{Office, decide, result};
use crate::support::process::assert_killed;
use crate::support::settings::QUICK;
use crate::support::wait::wait_until;

/// Returns the state and the cause of the only job of a kind in a lane.
async fn job(desk: &Desk, kind: &str, lane: &str) -> (String, String) {
    let job = "select state, coalesce(cause, '') from jobs where kind = $1 and lane = $2";
    sqlx::query_as(job).bind(kind).bind(lane).fetch_one(&desk.database).await.unwrap()
}

async fn assert_dies_because(desk: &Desk, kind: &str, lane: &str, expected: &str) {
    wait_until("the job dies", async || job(desk, kind, lane).await.0 == "dead").await;
    let (_, cause) = job(desk, kind, lane).await;
    assert!(cause.contains(expected), "{cause}");
}

#[tokio::test]
async fn a_push_that_kills_its_workers_dies_and_the_message_goes_out_on_the_next_channel() {
    let settings = [("SONGDA_RETRY_ATTEMPTS", "2")];
    let mut desk = Desk::builder().settings(&QUICK).settings(&settings).without_worker().open().await;
    desk.leave_jobs();
    let worker = desk.worker();
    let resident = consenting_resident(&desk).await;
    drop(worker);

    let phone = resident.phone();
    Office::register(&desk).await.hand_in(&[result(phone)]).await;
    for _ in 0..2 {
        assert_killed(&desk, desk.worker_dying_in("push.wechat", Boundary::Claimed), Boundary::Claimed).await;
    }
    let _healthy = desk.worker();
    assert_dies_because(&desk, "push", "push.wechat", "2 attempts were made").await;
    wait_until("the SMS arrives", async || !desk.sandbox.world().phones.of(phone).is_empty()).await;
    desk.close().await;
}

#[tokio::test]
async fn a_job_that_twenty_workers_in_a_row_did_not_survive_dies() {
    let mut desk = Desk::builder().settings(&QUICK).without_worker().open().await;
    desk.leave_jobs();
    decide(&desk, 1).await;
    desk.execute(
        "with lost as (
             update jobs set fence = 20, attempts = 20, unclear = 20 where kind = 'order_parcel' returning id
         )
         insert into attempts (job_id, fence, worker, started_at, ended_at, outcome)
         select id, fence, 'one', now(), now(), 'lost' from lost, generate_series(1, 20) fence",
    )
    .await;
    let _worker = desk.worker();
    assert_dies_because(&desk, "order_parcel", "courier.ems", "20 workers in a row").await;
    assert_eq!(desk.sandbox.world().parcels.counts(), (0, 0), "no order was made");
    desk.close().await;
}

#[tokio::test]
async fn a_job_whose_outcome_cannot_be_stored_dies_and_a_replay_clears_it_up() {
    let desk = Desk::builder().settings(&QUICK).without_worker().open().await;
    desk.execute("alter table parcels add constraint in_the_way check (waybill is null)").await;
    let decided = decide(&desk, 1).await;
    let _worker = desk.worker();
    assert_dies_because(&desk, "order_parcel", "courier.ems", "in_the_way").await;

    desk.execute("alter table parcels drop constraint in_the_way").await;
    desk.songda(&["jobs", "replay", "--kind", "order_parcel"]).await;
    assert_arrived_once(&desk, &decided).await;
    desk.close().await;
}
