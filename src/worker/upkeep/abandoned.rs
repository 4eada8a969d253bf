//! Lanes that nobody works: of a gateway that was switched off, or of one that a newer release knew. Their jobs are brought to
//! the lane `inside`, where they end well without their gateway: a push goes on over the next channel, and what concerns a
//! carrier is for people.
//!
//! During a release old and new workers stand side by side, and know different lanes. So a lane counts as abandoned only
//! while no worker on the roll has it, and only jobs are taken that have been overdue for long.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::domain::work::job::Lane;
use crate::queue::heartbeat::Present;
use crate::worker::Workshop;

/// How many looks are taken in the time that a job is left alone.
const LOOKS: u32 = 10;

/// Looks for them until the process stops.
pub async fn run(workshop: Arc<Workshop>, stop: CancellationToken) {
    let own: Vec<Lane> = workshop.lanes().into_iter().map(|(lane, _)| lane).collect();
    let every = (workshop.settings.abandoned_after / LOOKS).max(workshop.settings.sweep);
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
    let present = match workshop.queue.call_roll().await {
        Ok(present) => present,
        Err(error) => return tracing::debug!(%error, "nobody knows who works while Redis is away"),
    };
    for lane in foreign.iter().filter(|lane| is_abandoned(lane, &present)) {
        let overdue = workshop.settings.abandoned_after;
        let offers = match workshop.in_time(workshop.casework.jobs().take_in(lane, overdue)).await {
            Ok(offers) if offers.is_empty() => continue,
            Ok(offers) => offers,
            Err(error) => return tracing::warn!(%error, %lane, "cannot take abandoned jobs"),
        };
        tracing::warn!(%lane, jobs = offers.len(), "jobs of a lane that nobody works are ended without their gateway");
        if let Err(error) = workshop.queue.offer(&offers).await {
            tracing::debug!(%error, %lane, "abandoned jobs are taken another time");
        }
    }
}

/// Whether no worker has a lane. One that says nothing of its lanes may have any.
fn is_abandoned(lane: &Lane, present: &BTreeMap<String, Present>) -> bool {
    let has = |worker: &Present| worker.lanes.is_empty() || worker.lanes.iter().any(|it| it.lane == lane.as_str());
    !present.values().any(has)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::notice::notification::ChannelCode;
    use crate::queue::heartbeat::LanePresent;

    #[test]
    fn a_lane_is_abandoned_when_nobody_has_it() {
        let lane = |name: &str| LanePresent {
            lane: name.to_owned(),
            breaker: "closed".to_owned(),
            slots: 1,
            busy: 0,
            per_second: 0.0,
        };
        let worker = |lanes: &[&str]| Present { lanes: lanes.iter().map(|name| lane(name)).collect() };
        let wechat = Lane::push(&ChannelCode::new("wechat"));
        let roll = |workers: &[Present]| {
            workers.iter().enumerate().map(|(n, worker)| (n.to_string(), worker.clone())).collect::<BTreeMap<_, _>>()
        };
        let old = worker(&["push.sms_aliyun", "inside"]);
        assert!(is_abandoned(&wechat, &roll(std::slice::from_ref(&old))));
        assert!(!is_abandoned(&wechat, &roll(&[old.clone(), worker(&["push.wechat"])])));
        assert!(!is_abandoned(&wechat, &roll(&[old, worker(&[])])), "who knows what a stranger does");
    }
}
