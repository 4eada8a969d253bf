//! After the trouble: waits until every promise is kept. What was given up for people to look at is replayed, as people
//! would do.

use std::time::Duration;

use songda::domain::kernel::clock::Stopwatch;

use super::town::Town;

/// What it took.
pub struct Drained {
    /// From the end of the trouble to the last arrival.
    pub took: Duration,
    /// Dead letters that were replayed, by what they died of.
    pub replayed: Vec<(String, i64)>,
    /// What is still owed, if time was up before all was done.
    pub owed: Vec<String>,
}

/// Waits, and lets parcels walk meanwhile.
pub async fn drain(town: &Town, patience: Duration) -> Drained {
    const TELL_EVERY: Duration = Duration::from_secs(10);
    const LOOK_EVERY: Duration = Duration::from_millis(500);
    let (watch, mut replayed, mut told) = (Stopwatch::start(), Vec::new(), TELL_EVERY);
    loop {
        let moved = town.sandbox.advance_all().await.unwrap_or(1);
        let owed = owed(town).await;
        if (moved == 0 && owed.is_empty()) || watch.elapsed() > patience {
            return Drained { took: watch.elapsed(), replayed, owed };
        }
        if watch.elapsed() > told {
            told += TELL_EVERY;
            eprintln!(
                "chaos: {} s later, still owed: {} such as {:?}",
                watch.elapsed().as_secs(),
                owed.len(),
                owed.first()
            );
        }
        replayed.append(&mut replay(town).await);
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// What is not done. That a parcel is looked up once more in half an hour is no debt, if it is known to have arrived; nor is
/// that a content whose row never came is removed after an hour.
async fn owed(town: &Town) -> Vec<String> {
    let owed = "select concat_ws(' ', key, state, 'due in', date_trunc('second', due_at - now()), 'attempts', attempts,
                       'unclear', unclear, cause)
                from jobs where state = 'pending' and kind not in ('track_parcel', 'remove_content') or state = 'dead' and lane <> 'push.wechat'
                union all
                select concat_ws(' ', 'parcel', order_no, 'is', state) from parcels where state <> 'delivered'
                limit 50";
    sqlx::query_scalar(owed).fetch_all(&town.database).await.unwrap()
}

const LANES: [&str; 5] = ["push.sms_aliyun", "login.sms_aliyun", "courier.ems", "courier.sf", "inside"];

/// Brings dead letters back to life. Those of WeChat went on over SMS already: whoever replays them tells the same twice.
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
