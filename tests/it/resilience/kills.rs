//! Processes are killed (SIGKILL) between any two steps of processing a job: every message arrives, and no second order
//! is made.

use serde_json::json;
use songda::demo::{fresh_key, fresh_phone};
use songda::kill_point::Boundary;

use crate::support::acts::{stored_contents, upload};
use crate::support::answers::replayed;
use crate::support::arrivals::{Decided, assert_arrived_once, assert_delivered_once};
use crate::support::desk::Desk;
use crate::support::items::{AGENCY, ITEM};
use crate::support::office::{Office, decide, number_of, result};
use crate::support::pictures::photo;
use crate::support::process::{assert_killed, stop_gracefully};
use crate::support::settings::QUICK;
use crate::support::wait::wait_until;

/// The lanes of pushes and parcels. Each clears up an attempt of unknown outcome in its own way.
const LANES: [&str; 4] = ["push.wechat", "push.sms_aliyun", "courier.ems", "courier.sf"];

async fn quick_desk() -> Desk {
    Desk::builder().settings(&QUICK).without_worker().open().await
}

/// Kills workers at a step, with jobs that call gateways and with jobs that read gateways' callbacks.
async fn assert_survives_a_kill_at(step: Boundary) {
    tokio::join!(assert_outgoing_survives(step), assert_incoming_survives(step));
}

/// Kills one worker for each lane while it processes a job of that lane. Then lets another worker finish the jobs, and
/// checks what phones and carriers received.
async fn assert_outgoing_survives(step: Boundary) {
    let desk = quick_desk().await;
    let office = Office::register(&desk).await;
    let mut decided = Vec::new();
    for lane in LANES {
        let doomed = desk.worker_dying_in(lane, step);
        decided.push(decide_in(&desk, &office, lane).await);
        assert_killed(&desk, doomed, step).await;
    }
    let _successor = desk.worker();
    assert_arrived_once(&desk, &decided).await;
    desk.close().await;
}

/// Kills a worker that reads a carrier's callback (`read_callback`), and a worker that asks the carrier to confirm that
/// callback (`track_parcel`). The parcels are ordered by then, so the carrier's lane has no other job. Another worker
/// finishes the jobs.
async fn assert_incoming_survives(step: Boundary) {
    let desk = quick_desk().await;
    let mut worker = desk.worker();
    let decided = decide(&desk, 2).await;
    assert_arrived_once(&desk, &decided).await;
    stop_gracefully(&mut worker).await;
    for (parcel, lane) in decided.iter().zip(["inside", "courier.ems"]) {
        move_to_the_door(&desk, parcel).await;
        assert_killed(&desk, desk.worker_dying_in(lane, step), step).await;
    }
    let _successor = desk.worker();
    assert_delivered_once(&desk, &decided).await;
    desk.close().await;
}

/// Moves a parcel to its recipient's door. The carrier calls back at each station.
async fn move_to_the_door(desk: &Desk, decided: &Decided) {
    const STATIONS: usize = 8;
    let parcels = desk.outside().parcels_to(&decided.phone).await.unwrap();
    for _ in 0..STATIONS {
        desk.outside().advance(&parcels[0].order_no).await.unwrap();
    }
}

/// Reports a decision that creates a job in this lane. For WeChat the applicant is a resident who consented, otherwise
/// a new person. For SF the decision is about an item whose results go by SF, otherwise about one whose results go by
/// EMS.
async fn decide_in(desk: &Desk, office: &Office, lane: &str) -> Decided {
    let phone = fresh_phone();
    let mut result = result(&phone);
    let mut openid = None;
    match lane {
        "push.wechat" => {
            let resident = desk.resident_with_phone(&phone).await;
            resident.answer_dialog(&desk.outside(), resident.openid(), "accept").await.unwrap();
            openid = Some(resident.openid().to_owned());
        }
        "courier.sf" => result["item_code"] = json!("JT-0064"),
        _ => {}
    }
    let verdicts = office.hand_in(&[result]).await;
    Decided { number: number_of(&verdicts[0]), phone, openid }
}

#[tokio::test]
async fn a_decision_arrives_if_the_api_is_killed_after_the_commit() {
    let desk = quick_desk().await;
    let _worker = desk.worker();
    let accepted = desk.journey(ITEM).by_courier().submitted().accepted().await;
    let key = fresh_key();
    let doomed = desk.server_dying_at(Boundary::Committed).await;
    let officer = desk.officer_at(&doomed.api, AGENCY).await;

    let lost = accepted.grant(officer.caller(), &key).await;
    assert!(lost.is_err(), "the officer gets no answer: {lost:?}");
    assert_killed(&desk, doomed.process, Boundary::Committed).await;

    let again = accepted.grant(desk.officer(AGENCY).await.caller(), &key).await.unwrap();
    assert_eq!((again.status.as_u16(), replayed(&again)), (200, "true"), "{}", again.body);
    assert_eq!(again.at("/state").unwrap(), "granted");
    assert_arrived_once(&desk, &[accepted.decided()]).await;
    desk.close().await;
}

#[tokio::test]
async fn a_job_is_done_once_if_its_worker_is_killed_before_the_claim() {
    assert_survives_a_kill_at(Boundary::Heard).await;
}

#[tokio::test]
async fn a_job_is_done_once_if_its_worker_is_killed_after_the_claim() {
    assert_survives_a_kill_at(Boundary::Claimed).await;
}

#[tokio::test]
async fn a_job_is_done_once_if_its_worker_is_killed_before_the_call() {
    // A job reaches this step only before a call that must not be made twice. The jobs that follow from a callback make
    // no such call, so they are not tested here.
    assert_outgoing_survives(Boundary::Prepared).await;
}

#[tokio::test]
async fn a_job_is_done_once_if_its_worker_is_killed_after_the_call() {
    assert_survives_a_kill_at(Boundary::Called).await;
}

#[tokio::test]
async fn a_job_is_done_once_if_its_worker_is_killed_after_the_settlement() {
    assert_survives_a_kill_at(Boundary::Settled).await;
}

#[tokio::test]
async fn a_job_is_done_once_if_its_worker_is_killed_after_the_acknowledgement() {
    assert_survives_a_kill_at(Boundary::Acknowledged).await;
}

/// Each attempt writes a copy of its own, and only one is named by the row of the file.
#[tokio::test]
async fn a_worker_that_is_killed_while_it_checks_a_file_leaves_it_to_another_one() {
    let desk = quick_desk().await;
    let resident = desk.stranger().await;
    let mut files = Vec::new();
    for step in [Boundary::Claimed, Boundary::Called] {
        let doomed = desk.worker_dying_in("files", step);
        let made = upload(resident.caller(), photo(60, 40)).await;
        files.push(made.header("location").to_owned());
        assert_killed(&desk, doomed, step).await;
    }
    let _successor = desk.worker();
    for file in files {
        wait_until("the file is checked", async || {
            resident.caller().get(&file).success().await.unwrap().at("/state").unwrap() == "passed"
        })
        .await;
        resident.caller().get(&format!("{file}/content")).success().await.unwrap();
    }
    assert_eq!(stored_contents(&desk), 4, "two originals, two copies");
    desk.close().await;
}
