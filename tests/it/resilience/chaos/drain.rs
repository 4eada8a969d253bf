//! The time after the faults: waits until every message and parcel that is still owed has arrived. Dead letters (jobs
//! that the workers gave up) are replayed, as an operator would do.

use std::time::Duration;

use songda::domain::kernel::clock::Stopwatch;

use super::town::Town;

pub struct Drained {
    /// The time from the end of the trouble to the last arrival.
    pub took: Duration,
    /// How many dead letters were replayed, by kind and last outcome.
    pub replayed: Vec<(String, i64)>,
    /// The jobs that were not done and the parcels that were not delivered when time ran out.
    pub owed: Vec<String>,
}

/// Waits until all jobs are done and all parcels are delivered, and moves the parcels meanwhile.
pub async fn drain(town: &Town, within: Duration) -> Drained {
    const PRINT_EVERY: Duration = Duration::from_secs(10);
    const POLL_EVERY: Duration = Duration::from_millis(500);
    let watch = Stopwatch::start();
    let mut replayed = Vec::new();
    let mut print_at = PRINT_EVERY;
    loop {
        let moved = town.sandbox.advance_all().await.unwrap_or(1);
        let owed = owed(town).await;
        if (moved == 0 && owed.is_empty()) || watch.elapsed() > within {
            return Drained { took: watch.elapsed(), replayed, owed };
        }
        if watch.elapsed() > print_at {
            print_at += PRINT_EVERY;
            eprintln!(
                "chaos: {} s later, still owed: {} such as {:?}",
                watch.elapsed().as_secs(),
                owed.len(),
                owed.first()
            );
        }
        replayed.append(&mut replay(town).await);
        tokio::time::sleep(POLL_EVERY).await;
    }
}

/// Returns the jobs that are not done and the parcels that are not delivered. Leaves out pending jobs that track a
/// parcel, pending jobs that delete a file without a database row, and dead pushes over WeChat.
async fn owed(town: &Town) -> Vec<String> {
    let owed = "select concat_ws(' ', key, state, 'due in', date_trunc('second', due_at - now()), 'attempts', attempts,
                       'unclear', unclear, cause)
                from jobs where state = 'pending' and kind not in ('track_parcel', 'remove_content') or state = 'dead' and lane <> 'push.wechat'
                union all
                select concat_ws(' ', 'parcel', order_no, 'is', state) from parcels where state <> 'delivered'
                limit 50";
    sqlx::query_scalar(owed).fetch_all(&town.database).await.unwrap()
}

const LANES: [&str; 6] = ["push.sms_aliyun", "login.sms_aliyun", "courier.ems", "courier.sf", "files", "inside"];

/// Replays dead letters, except those of WeChat: their messages went out by SMS instead.
async fn replay(town: &Town) -> Vec<(String, i64)> {
    let dead = "select kind || ': ' || coalesce((select outcome from attempts a where a.job_id = j.id
                                                 order by fence desc limit 1), ''), count(*)
                from jobs j where state = 'dead' and lane = any($1) group by 1";
    let dead: Vec<(String, i64)> = sqlx::query_as(dead).bind(LANES.as_slice()).fetch_all(&town.database).await.unwrap();
    if !dead.is_empty() {
        for lane in LANES {
            town.songda(&["jobs", "replay", "--lane", lane, "--limit", "10000"]).await;
        }
    }
    dead
}
