//! Rings of the bell: more of them than needed change nothing, no more are rung than needed, and the brake lets through what
//! a lane's pace allows.

use std::time::Duration;

use songda::domain::delivery::parcel::CarrierCode;
use songda::domain::kernel::clock::fresh;
use songda::domain::kernel::ids::JobId;
use songda::domain::kernel::pace::Pace;
use songda::domain::notice::notification::ChannelCode;
use songda::domain::work::job::{Lane, Offer};
use uuid::Uuid;

use crate::support::desk::{Desk, wait_until};
use crate::support::office::{came_once, decide};

/// A gateway that takes one order a second.
const SLOW: [(&str, &str); 1] = [("SONGDA_EMS_RATE", "1")];

fn ems() -> Lane {
    Lane::courier(&CarrierCode::new("ems"))
}

/// What the stream of a slow gateway's lane holds is offered; however long ago that was, it is not offered again.
#[tokio::test]
async fn a_backlog_that_takes_minutes_is_offered_once() {
    const BACKLOG: usize = 30;
    let mut desk = Desk::open_idle(&SLOW).await;
    desk.leave_jobs();
    decide(&desk, BACKLOG).await;
    let offered = async || desk.queue().depth(&ems()).await.unwrap() == BACKLOG as u64;
    wait_until("all are offered", offered).await;
    desk.flush_redis().await;
    let three_minutes_ago = "update jobs set offered_at = now() - interval '3 minutes' where lane = 'courier.ems'
                             returning id, (extract(epoch from offered_at) * 1000)::bigint";
    let offered: Vec<(Uuid, i64)> = sqlx::query_as(three_minutes_ago).fetch_all(&desk.database).await.unwrap();
    assert_eq!(offered.len(), BACKLOG);
    let (mut redis, stream) = (desk.redis().await, format!("{}{{courier.ems}}:jobs", desk.redis_prefix()));
    for (nth, (job, at)) in offered.into_iter().enumerate() {
        let mut add = redis::cmd("XADD");
        add.arg(&stream).arg(format!("{at}-{}", nth + 1)).arg("job").arg(job.as_simple().to_string());
        add.query_async::<()>(&mut redis).await.unwrap();
    }
    assert_eq!(desk.queue().depth(&ems()).await.unwrap(), BACKLOG as u64);

    let _worker = desk.worker(None);
    let world = desk.sandbox.world();
    wait_until("some are ordered", async || world.parcels.counts().0 >= 3).await;
    let depth = desk.queue().depth(&ems()).await.unwrap();
    assert!(depth < BACKLOG as u64, "{depth} rings for what is left of {BACKLOG} orders");
    desk.close().await;
}

#[tokio::test]
async fn rings_for_nothing_do_not_wait_for_the_rate() {
    let desk = Desk::open_idle(&SLOW).await;
    let nothing: Vec<Offer> = (0..3_000).map(|_| Offer { job: fresh(JobId::from_uuid), lane: ems() }).collect();
    desk.queue().offer(&nothing).await.unwrap();
    let decided = decide(&desk, 1).await;
    let _worker = desk.worker(None);
    came_once(&desk, &decided).await;
    desk.close().await;
}

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
    came_once(&desk, &decided).await;
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
    let channel = ChannelCode::new("owl");
    let (pushes, codes) = (Lane::push(&channel), Lane::login(&channel));
    queue.take(&pushes, pace, 500).await.unwrap();
    assert_eq!(queue.take(&codes, pace, 1).await.unwrap(), 1, "a code waits for no push");
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
