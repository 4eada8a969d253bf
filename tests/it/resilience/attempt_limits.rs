//! No job goes round for ever: neither one that kills whoever works at it, nor one whose outcome cannot be written down.

use songda::kill_point::Step;

use crate::delivery::consents::tap;
use crate::resilience::kills::{QUICK, died};
use crate::support::desk::{Desk, wait_until};
use crate::support::office::{back_office, came_once, decide, result};

/// State and cause of the only job of a kind on a lane.
async fn job(desk: &Desk, kind: &str, lane: &str) -> (String, String) {
    let job = "select state, coalesce(cause, '') from jobs where kind = $1 and lane = $2";
    sqlx::query_as(job).bind(kind).bind(lane).fetch_one(&desk.database).await.unwrap()
}

async fn died_because(desk: &Desk, kind: &str, lane: &str, cause: &str) {
    let dead = async || job(desk, kind, lane).await.0 == "dead";
    wait_until("it is given up", dead).await;
    let (_, why) = job(desk, kind, lane).await;
    assert!(why.contains(cause), "{why}");
}

#[tokio::test]
async fn a_job_that_kills_its_workers_is_given_up_and_its_push_goes_on() {
    let mut desk = Desk::open_idle(&[&QUICK[..], &[("SONGDA_RETRY_ATTEMPTS", "2")]].concat()).await;
    desk.leave_jobs();
    let worker = desk.worker(None);
    let (resident, openid) = desk.resident().await;
    tap(&desk, &openid, "accept").await;
    drop(worker);

    let phone = resident.applicant.phone;
    back_office(&desk).await.hand_in(&[result(phone)]).await.unwrap();
    for _ in 0..2 {
        died(&desk, desk.worker_dying_at(Step::Claimed, "push.wechat"), Step::Claimed).await;
    }
    let _healthy = desk.worker(None);
    died_because(&desk, "push", "push.wechat", "2 attempts were made").await;
    let told = async || !desk.sandbox.world().phones.of(phone).is_empty();
    wait_until("the next channel tells", told).await;
    desk.close().await;
}

#[tokio::test]
async fn a_job_at_which_twenty_workers_died_is_taken_for_the_cause() {
    let mut desk = Desk::open_idle(&QUICK).await;
    desk.leave_jobs();
    decide(&desk, 1).await;
    let lost = "with lost as (update jobs set fence = 20, attempts = 20, unclear = 20 where kind = 'order_parcel' returning id)
                insert into attempts (job_id, fence, worker, started_at, ended_at, outcome)
                select id, fence, 'one', now(), now(), 'lost' from lost, generate_series(1, 20) fence";
    sqlx::query(lost).execute(&desk.database).await.unwrap();
    let _worker = desk.worker(None);
    died_because(&desk, "order_parcel", "courier.ems", "20 workers in a row").await;
    assert_eq!(desk.sandbox.world().parcels.counts(), (0, 0), "nobody ordered");
    desk.close().await;
}

#[tokio::test]
async fn an_outcome_that_cannot_be_written_is_for_people_and_a_replay_clears_it_up() {
    let desk = Desk::open_idle(&QUICK).await;
    let forbid = "alter table parcels add constraint in_the_way check (waybill is null)";
    sqlx::query(forbid).execute(&desk.database).await.unwrap();
    let decided = decide(&desk, 1).await;
    let _worker = desk.worker(None);
    died_because(&desk, "order_parcel", "courier.ems", "in_the_way").await;

    sqlx::query("alter table parcels drop constraint in_the_way").execute(&desk.database).await.unwrap();
    desk.songda(&["jobs", "replay", "--kind", "order_parcel"]).await;
    came_once(&desk, &decided).await;
    desk.close().await;
}
