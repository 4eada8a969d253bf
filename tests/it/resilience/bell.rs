//! The bell: entries on a lane's Redis stream that wake a worker up. A job that has an entry gets no second one, a
//! superfluous entry does no harm, and no entry is lost if its reader leaves. The rate limiter gives each lane the
//! permits that the lane's rate allows.

use std::time::Duration;

use songda::domain::delivery::parcel::CarrierCode;
use songda::domain::kernel::clock::fresh;
use songda::domain::kernel::ids::JobId;
use songda::domain::kernel::pace::Pace;
use songda::domain::notice::notification::ChannelCode;
use songda::domain::work::job::{Lane, Offer};
use uuid::Uuid;

use crate::support::arrivals::assert_arrived_once;
use crate::support::desk::Desk;
use crate::support::office::decide;
use crate::support::wait::wait_until;

/// EMS takes one order a second.
const SLOW_EMS: [(&str, &str); 1] = [("SONGDA_EMS_RATE", "1")];

fn ems() -> Lane {
    Lane::courier(&CarrierCode::new("ems"))
}

/// A job whose entry is on the stream counts as offered, however old the offer is.
#[tokio::test]
async fn a_backlog_that_takes_minutes_is_offered_once() {
    const BACKLOG: usize = 30;
    let mut desk = Desk::builder().settings(&SLOW_EMS).without_worker().open().await;
    desk.leave_jobs();
    decide(&desk, BACKLOG).await;
    let offered = async || desk.queue().depth(&ems()).await.unwrap() == BACKLOG as u64;
    wait_until("all jobs are offered", offered).await;
    desk.flush_redis().await;
    let three_minutes_ago = "update jobs set offered_at = now() - interval '3 minutes' where lane = 'courier.ems'
                             returning id, (extract(epoch from offered_at) * 1000)::bigint";
    let offered: Vec<(Uuid, i64)> = sqlx::query_as(three_minutes_ago).fetch_all(&desk.database).await.unwrap();
    assert_eq!(offered.len(), BACKLOG);
    let mut redis = desk.redis().await;
    let stream = format!("{}{{courier.ems}}:jobs", desk.redis_prefix());
    for (nth, (job, at)) in offered.into_iter().enumerate() {
        let mut add = redis::cmd("XADD");
        add.arg(&stream).arg(format!("{at}-{}", nth + 1)).arg("job").arg(job.as_simple().to_string());
        add.query_async::<()>(&mut redis).await.unwrap();
    }
    assert_eq!(desk.queue().depth(&ems()).await.unwrap(), BACKLOG as u64);

    let _worker = desk.worker();
    let world = desk.sandbox.world();
    wait_until("some parcels are ordered", async || world.parcels.counts().0 >= 3).await;
    let depth = desk.queue().depth(&ems()).await.unwrap();
    assert!(depth < BACKLOG as u64, "{depth} entries for what is left of {BACKLOG} orders");
    desk.close().await;
}

#[tokio::test]
async fn entries_without_a_job_do_not_use_up_the_rate() {
    let desk = Desk::builder().settings(&SLOW_EMS).without_worker().open().await;
    let nothing: Vec<Offer> = (0..3_000).map(|_| Offer { job: fresh(JobId::from_uuid), lane: ems() }).collect();
    desk.queue().offer(&nothing).await.unwrap();
    let decided = decide(&desk, 1).await;
    let _worker = desk.worker();
    assert_arrived_once(&desk, &decided).await;
    desk.close().await;
}

#[tokio::test]
async fn a_job_that_is_offered_several_times_is_done_once() {
    let desk = Desk::builder().without_worker().open().await;
    let decided = decide(&desk, 5).await;
    let pending: Vec<(Uuid, String)> =
        sqlx::query_as("select id, lane from jobs where state = 'pending'").fetch_all(&desk.database).await.unwrap();
    let offers: Vec<Offer> = pending
        .into_iter()
        .flat_map(|job| [job.clone(), job.clone(), job])
        .map(|(id, lane)| Offer { job: JobId::from_uuid(id), lane: Lane::from_stored(lane) })
        .collect();
    desk.queue().offer(&offers).await.unwrap();
    let _worker = desk.worker();
    assert_arrived_once(&desk, &decided).await;
    desk.close().await;
}

#[tokio::test]
async fn each_lane_has_a_rate_of_its_own_and_unused_permits_are_given_back() {
    let desk = Desk::builder().without_worker().open().await;
    let queue = desk.queue();
    let pace = Pace { per_second: 5, slots: 8 };
    let [ems, sf] = ["ems", "sf"].map(|code| Lane::courier(&CarrierCode::new(code)));
    assert_eq!(queue.take(&ems, pace, 10).await.unwrap(), 5, "not more than the rate, however many jobs wait");
    assert_eq!(queue.take(&sf, pace, 3).await.unwrap(), 3, "another gateway's rate is independent");
    queue.give_back(&ems, pace, 5).await.unwrap();
    assert_eq!(queue.take(&ems, pace, 10).await.unwrap(), 5);
    let channel = ChannelCode::new("owl");
    let pushes = Lane::push(&channel);
    let codes = Lane::login(&channel);
    queue.take(&pushes, pace, 500).await.unwrap();
    assert_eq!(queue.take(&codes, pace, 1).await.unwrap(), 1, "a code does not wait for pushes");
    queue.give_back(&ems, pace, 500).await.unwrap();
    assert_eq!(queue.take(&ems, pace, 500).await.unwrap(), 5, "at most the permits of one second are held");
    desk.close().await;
}

/// If a consumer's name is removed, Redis forgets the entries that the consumer has read and not acknowledged, and no
/// worker sees them again. So a reader that leaves removes its name only if it has no such entries. If it has some,
/// another worker takes them over first.
#[tokio::test]
async fn the_entries_of_a_reader_that_leaves_are_taken_over() {
    let desk = Desk::builder().without_worker().open().await;
    let queue = desk.queue();
    let lane = ems();
    queue.take_over(&lane, "nobody", Duration::ZERO, 1).await.unwrap();
    let job = fresh(JobId::from_uuid);
    queue.offer(&[Offer { job, lane: lane.clone() }]).await.unwrap();

    let mut holds = queue.reader(lane.clone(), "holds");
    let mut idle = queue.reader(lane.clone(), "idle");
    let soon = Duration::from_millis(10);
    assert_eq!(holds.read(10, soon).await.unwrap().iter().filter_map(|ring| ring.job).collect::<Vec<_>>(), [job]);
    assert_eq!(idle.read(10, soon).await.unwrap(), []);
    holds.leave().await;
    idle.leave().await;
    assert_eq!(queue.forget_readers(&lane, Duration::ZERO).await.unwrap(), 0, "an idle reader removed its own name");

    let taken = queue.take_over(&lane, "heir", Duration::ZERO, 10).await.unwrap();
    assert_eq!(taken.iter().filter_map(|ring| ring.job).collect::<Vec<_>>(), [job]);
    assert_eq!(queue.forget_readers(&lane, Duration::ZERO).await.unwrap(), 1, "the other one holds nothing any more");
    desk.close().await;
}
