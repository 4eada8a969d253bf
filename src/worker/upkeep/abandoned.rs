//! Moves the jobs of a lane that no worker serves to the lane `inside`. The lane's gateway was switched off, or only a
//! newer release knew it. In the lane `inside`, a push goes on over the next channel, and a carrier's job becomes a
//! dead letter.
//!
//! During an upgrade, old and new workers run side by side and know different lanes. So a lane counts as abandoned only
//! if no live worker serves it, and only jobs that have been overdue for long are moved.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::domain::work::job::Lane;
use crate::queue::heartbeat::Heartbeat;
use crate::worker::workshop::Workshop;

/// How many times abandoned lanes are looked for per
/// [`UpkeepSettings::abandoned_after`](crate::worker::settings::upkeep::UpkeepSettings).
const LOOKS: u32 = 10;

/// Moves abandoned jobs until the process stops.
pub async fn run(workshop: Arc<Workshop>, stop: CancellationToken) {
    let own: Vec<Lane> = workshop.lanes().into_iter().map(|(lane, _)| lane).collect();
    let upkeep = &workshop.settings.upkeep;
    let every = (upkeep.abandoned_after / LOOKS).max(upkeep.sweep);
    while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
        let in_use = match workshop.in_time(workshop.casework.jobs().lanes_in_use()).await {
            Ok(in_use) => in_use,
            Err(error) => {
                tracing::warn!(%error, "cannot look for abandoned jobs");
                continue;
            }
        };
        let foreign: Vec<Lane> = in_use.into_iter().filter(|lane| !own.contains(lane)).collect();
        if !foreign.is_empty() {
            take_in(&workshop, &foreign).await;
        }
    }
}

async fn take_in(workshop: &Workshop, foreign: &[Lane]) {
    let workers = match workshop.queue.live_workers().await {
        Ok(workers) => workers,
        Err(error) => return tracing::debug!(%error, "the live workers are unknown while Redis is away"),
    };
    for lane in foreign.iter().filter(|lane| is_abandoned(lane, &workers)) {
        let overdue = workshop.settings.upkeep.abandoned_after;
        let offers = match workshop.in_time(workshop.casework.jobs().take_in(lane, overdue)).await {
            Ok(offers) if offers.is_empty() => continue,
            Ok(offers) => offers,
            Err(error) => return tracing::warn!(%error, %lane, "cannot take abandoned jobs"),
        };
        tracing::warn!(%lane, jobs = offers.len(), "jobs of a lane that no worker has are ended without their gateway");
        if let Err(error) = workshop.queue.offer(&offers).await {
            tracing::debug!(%error, %lane, "abandoned jobs are taken another time");
        }
    }
}

/// True if no worker serves the lane. A worker whose heartbeat names no lanes counts as serving every lane.
fn is_abandoned(lane: &Lane, workers: &BTreeMap<String, Heartbeat>) -> bool {
    let has = |worker: &Heartbeat| worker.lanes.is_empty() || worker.lanes.iter().any(|it| it.lane == lane.as_str());
    !workers.values().any(has)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::notice::notification::ChannelCode;
    use crate::queue::heartbeat::LaneHeartbeat;

    #[test]
    fn a_lane_is_abandoned_if_no_worker_has_it() {
        let lane = |name: &str| LaneHeartbeat {
            lane: name.to_owned(),
            breaker: "closed".to_owned(),
            slots: 1,
            busy: 0,
            per_second: 0.0,
        };
        let worker = |lanes: &[&str]| Heartbeat { lanes: lanes.iter().map(|name| lane(name)).collect() };
        let wechat = Lane::push(&ChannelCode::new("wechat"));
        let named = |workers: &[Heartbeat]| {
            workers.iter().enumerate().map(|(n, worker)| (n.to_string(), worker.clone())).collect::<BTreeMap<_, _>>()
        };
        let old = worker(&["push.sms_aliyun", "inside"]);
        assert!(is_abandoned(&wechat, &named(std::slice::from_ref(&old))));
        assert!(!is_abandoned(&wechat, &named(&[old.clone(), worker(&["push.wechat"])])));
        assert!(!is_abandoned(&wechat, &named(&[old, worker(&[])])), "a worker that reports nothing may have it");
    }
}
