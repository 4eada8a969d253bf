//! Rings of the bell: more of them than needed change nothing, and the brake lets through what a lane's pace allows.

use std::time::Duration;

use songda::domain::clock::fresh;
use songda::domain::ids::JobId;
use songda::domain::job::{Lane, Offer};
use songda::domain::pace::Pace;
use songda::domain::parcel::CarrierCode;
use uuid::Uuid;

use crate::decisions::{came_once, decide};
use crate::harness::Desk;

#[tokio::test]
async fn a_job_that_is_rung_for_often_is_done_once() {
    let desk = Desk::open_idle(&[]).await;
    let decided = decide(&desk, 5).await;
    let promised: Vec<(Uuid, String)> =
        sqlx::query_as("select id, lane from jobs where state = 'pending'").fetch_all(&desk.database).await.unwrap();
    let offers: Vec<Offer> = promised
        .into_iter()
        .flat_map(|job| [job.clone(), job.clone(), job])
        .map(|(id, lane)| Offer { job: JobId::from_uuid(id), lane: Lane::from_stored(lane) })
        .collect();
    desk.queue().offer(&offers).await.unwrap();
    let _worker = desk.worker(None);
    came_once(&desk, &decided, Duration::from_secs(20)).await;
    desk.close().await;
}

#[tokio::test]
async fn each_lane_has_a_bucket_of_its_own_and_what_was_not_used_is_given_back() {
    let desk = Desk::open_idle(&[]).await;
    let (queue, pace) = (desk.queue(), Pace { per_second: 5, slots: 8 });
    let [ems, sf] = ["ems", "sf"].map(|code| Lane::courier(&CarrierCode::new(code)));
    assert_eq!(queue.take(&ems, pace, 10).await.unwrap(), 5, "no more than the pace, however many wait");
    assert_eq!(queue.take(&sf, pace, 3).await.unwrap(), 3, "another gateway's haste is none of its business");
    queue.give_back(&ems, pace, 5).await.unwrap();
    assert_eq!(queue.take(&ems, pace, 10).await.unwrap(), 5);
    queue.give_back(&ems, pace, 500).await.unwrap();
    assert_eq!(queue.take(&ems, pace, 500).await.unwrap(), 5, "it never holds more than a second's worth");
    desk.close().await;
}

/// With a reader's name Redis forgets what it holds; then an entry would stand on the stream that nobody ever hears.
#[tokio::test]
async fn what_a_reader_holds_when_it_leaves_is_taken_over() {
    let desk = Desk::open_idle(&[]).await;
    let (queue, lane) = (desk.queue(), Lane::courier(&CarrierCode::new("ems")));
    queue.take_over(&lane, "nobody", Duration::ZERO, 1).await.unwrap();
    let job = fresh(JobId::from_uuid);
    queue.offer(&[Offer { job, lane: lane.clone() }]).await.unwrap();

    let (mut holds, mut idle) = (queue.reader(lane.clone(), "holds"), queue.reader(lane.clone(), "idle"));
    let soon = Duration::from_millis(10);
    assert_eq!(holds.read(10, soon).await.unwrap().iter().filter_map(|ring| ring.job).collect::<Vec<_>>(), [job]);
    assert_eq!(idle.read(10, soon).await.unwrap(), []);
    holds.leave().await;
    idle.leave().await;
    assert_eq!(queue.forget_readers(&lane, Duration::ZERO).await.unwrap(), 0, "who held nothing is struck off already");

    let taken = queue.take_over(&lane, "heir", Duration::ZERO, 10).await.unwrap();
    assert_eq!(taken.iter().filter_map(|ring| ring.job).collect::<Vec<_>>(), [job]);
    assert_eq!(queue.forget_readers(&lane, Duration::ZERO).await.unwrap(), 1, "now it holds nothing any more");
    desk.close().await;
}
