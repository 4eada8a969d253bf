//! SIGKILL at every boundary between two steps of keeping a promise: every notification arrives, no second order exists.

use std::os::unix::process::ExitStatusExt;

use serde_json::json;
use songda::demo::back_office::BackOffice;
use songda::demo::{fresh_key, fresh_phone};
use songda::kill_point::Step;
use tokio::process::Child;

use crate::support::desk::{Desk, PATIENCE, stops_softly};
use crate::support::office::{Accepted, Decided, back_office, came_once, decide, delivered_once, number_of, result};

const SIGKILL: i32 = 9;

/// Leases short enough to be waited for, and gateways that are believed soon. Not too soon: another desk that opens on the
/// same thread holds an answer up for the better part of a second.
pub const QUICK: [(&str, &str); 12] = [
    ("SONGDA_LEASE", "8s"),
    ("SONGDA_ATTEMPT_TIMEOUT", "6s"),
    ("SONGDA_WECHAT_TIMEOUT", "2s"),
    ("SONGDA_SMS_ALIYUN_TIMEOUT", "2s"),
    ("SONGDA_EMS_TIMEOUT", "2s"),
    ("SONGDA_SF_TIMEOUT", "2s"),
    ("SONGDA_CLEAR_UP_AFTER", "100ms"),
    ("SONGDA_ABSENT_FOR", "1s"),
    ("SONGDA_MESSAGE_ABSENT_FOR", "1s"),
    ("SONGDA_RECEIPT_WITHIN", "3s"),
    ("SONGDA_CONFIRM_WITHIN", "5s"),
    ("SONGDA_RETRY_FIRST", "100ms"),
];

/// The lanes on which something goes out into the world. At each of them an attempt of unknown outcome is cleared up in
/// its own way.
const LANES: [&str; 4] = ["push.wechat", "push.sms_aliyun", "courier.ems", "courier.sf"];

/// Kills workers at a boundary: with what goes out into the world, and with what comes back from it.
async fn killed_at(step: Step) {
    tokio::join!(killed_with_what_goes_out(step), killed_with_what_comes_back(step));
}

/// Kills workers, one with a job of each lane; lets another one finish, and looks at phones and carriers.
async fn killed_with_what_goes_out(step: Step) {
    let desk = Desk::open_idle(&QUICK).await;
    let office = back_office(&desk).await;
    let mut decided = Vec::new();
    for lane in LANES {
        let doomed = desk.worker_dying_at(step, lane);
        decided.push(one_for(&desk, &office, lane).await);
        died(&desk, doomed, step).await;
    }
    let _successor = desk.worker(None);
    came_once(&desk, &decided).await;
    desk.close().await;
}

/// Kills a worker with a carrier's call (`read_callback`), and one with the question whether it is true (`track_parcel`):
/// the orders are made by then, so that the carrier's lane has nothing else to do. Another one finishes.
async fn killed_with_what_comes_back(step: Step) {
    let desk = Desk::open_idle(&QUICK).await;
    let mut worker = desk.worker(None);
    let decided = decide(&desk, 2).await;
    came_once(&desk, &decided).await;
    stops_softly(&mut worker).await;
    for (parcel, lane) in decided.iter().zip(["inside", "courier.ems"]) {
        comes_to_the_door(&desk, parcel).await;
        died(&desk, desk.worker_dying_at(step, lane), step).await;
    }
    let _successor = desk.worker(None);
    delivered_once(&desk, &decided).await;
    desk.close().await;
}

/// Moves a parcel to its door; the carrier tells of every step.
async fn comes_to_the_door(desk: &Desk, decided: &Decided) {
    const STEPS: usize = 8;
    let parcels = desk.outside().parcels_to(&decided.phone).await.unwrap();
    for _ in 0..STEPS {
        desk.outside().advance(&parcels[0].order_no).await.unwrap();
    }
}

/// A decision that owes a job of this lane: for somebody new, or for a resident whom WeChat may tell; on an item that the
/// post alone may carry, or on one that goes by SF.
async fn one_for(desk: &Desk, office: &BackOffice, lane: &str) -> Decided {
    let phone = fresh_phone();
    let (mut result, mut openid) = (result(&phone), None);
    match lane {
        "push.wechat" => {
            let (resident, at_wechat) = desk.resident_with_phone(&phone).await;
            resident.answer_dialog(&desk.outside(), &at_wechat, "accept").await.unwrap();
            openid = Some(at_wechat);
        }
        "courier.sf" => result["item_code"] = json!("JT-0064"),
        _ => {}
    }
    let verdicts = office.hand_in(&[result]).await.unwrap();
    Decided { number: number_of(&verdicts[0]), phone, openid }
}

/// Waits until a process was killed at its kill point.
pub async fn died(desk: &Desk, mut doomed: Child, step: Step) {
    let Ok(died) = tokio::time::timeout(PATIENCE, doomed.wait()).await else {
        panic!("nobody came to {}: {:#?}", step.name(), desk.undone().await)
    };
    let died = died.unwrap();
    assert_eq!(died.signal(), Some(SIGKILL), "killed at {}", step.name());
}

#[tokio::test]
async fn after_the_commit() {
    let desk = Desk::open_idle(&QUICK).await;
    let _worker = desk.worker(None);
    let (accepted, key) = (Accepted::on(&desk).await, fresh_key());
    let doomed = desk.server(Some(Step::Committed)).await;
    let officer = desk.officer_at(&doomed.api, Accepted::AGENCY).await;

    let lost = accepted.grant(officer.caller(), &key).await;
    assert!(lost.is_err(), "the officer sees no answer: {lost:?}");
    died(&desk, doomed.process, Step::Committed).await;

    let officer = desk.officer(Accepted::AGENCY).await;
    let again = accepted.grant(officer.caller(), &key).await.unwrap();
    assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (200, "true"), "{}", again.body);
    assert_eq!(again.at("/state").unwrap(), "granted");
    came_once(&desk, &[accepted.decided()]).await;
    desk.close().await;
}

#[tokio::test]
async fn before_the_claim() {
    killed_at(Step::Heard).await;
}

#[tokio::test]
async fn after_the_claim() {
    killed_at(Step::Claimed).await;
}

#[tokio::test]
async fn before_the_call() {
    // What comes back is only read and asked about: there is nothing that must not be done twice.
    killed_with_what_goes_out(Step::Prepared).await;
}

#[tokio::test]
async fn after_the_call() {
    killed_at(Step::Called).await;
}

#[tokio::test]
async fn after_the_settlement() {
    killed_at(Step::Settled).await;
}

#[tokio::test]
async fn after_the_acknowledgement() {
    killed_at(Step::Acknowledged).await;
}
