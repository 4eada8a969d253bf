//! Checks the jobs: that workers run, that no job is late, and that there are no dead letters.

use std::collections::BTreeMap;

use songda::queue::heartbeat::Heartbeat;
use songda::store::condition;
use songda::store::jobs::{LaneCounts, lane_counts};

use super::causes::with_causes;
use super::finding::Finding;
use super::installation::Installation;
use crate::commands::lanes;

pub const GROUP: &str = "jobs";

/// Counting the jobs of a lane stops at this number. The report then says that there are this many or more.
const MOST: i64 = 10_000;
/// If a job has been due for more seconds than this, the check warns, because residents notice the delay.
const LATE: f64 = 60.0;
/// If a job has been due for more seconds than this, the check reports a fault.
const MUCH_TOO_LATE: f64 = 600.0;

pub async fn look(installation: &Installation) -> Vec<Finding> {
    let Some(database) = &installation.database else { return Vec::new() };
    let standing = async {
        let mut connection = condition::connect(database.url.expose()).await?;
        lane_counts(&mut connection, &lanes::all(), MOST).await
    };
    let lanes = match standing.await {
        Ok(lanes) => lanes,
        Err(error) => {
            let advice = "repair the database first";
            return vec![Finding::fault(GROUP, "lanes", format!("cannot be read: {}", with_causes(&error)), advice)];
        }
    };
    let mut findings = vec![of_age(&lanes)];
    findings.extend(of_dead(&lanes));
    if let Some(queue) = &installation.queue
        && let Ok(workers) = queue.live_workers().await
    {
        findings.push(of_workers(&workers, &lanes));
        findings.extend(of_breakers(&workers));
    }
    findings
}

fn of_age(lanes: &[LaneCounts]) -> Finding {
    let age = |lane: &LaneCounts| lane.oldest_due.unwrap_or(0.0);
    let oldest = lanes.iter().max_by(|a, b| age(a).total_cmp(&age(b))).filter(|lane| age(lane) > 0.0);
    let Some(oldest) = oldest else { return Finding::ok(GROUP, "age", "no job is overdue") };
    let what = format!("the oldest due job has waited {:.0} s, in lane {}", age(oldest), oldest.lane);
    let advice = "songda top shows the cause: no worker, an open breaker, or a rate limit below the rate of new jobs";
    match age(oldest) {
        age if age > MUCH_TOO_LATE => Finding::fault(GROUP, "age", what, advice),
        age if age > LATE => Finding::warning(GROUP, "age", what, advice),
        _ => Finding::ok(GROUP, "age", what),
    }
}

fn of_dead(lanes: &[LaneCounts]) -> Vec<Finding> {
    let dead: Vec<&LaneCounts> = lanes.iter().filter(|lane| lane.dead > 0).collect();
    if dead.is_empty() {
        return vec![Finding::ok(GROUP, "dead", "no dead letters")];
    }
    let told = |lane: &LaneCounts| {
        let LaneCounts { lane, dead, .. } = lane;
        let count = if *dead < MOST { dead.to_string() } else { format!("{MOST} or more") };
        let what = format!("{count} dead letters in lane {lane}");
        let advice = format!(
            "songda jobs list --lane {lane} shows the cause; correct it, then run songda jobs replay --lane {lane}"
        );
        Finding::warning(GROUP, format!("dead.{lane}"), what, advice)
    };
    dead.into_iter().map(told).collect()
}

fn of_workers(workers: &BTreeMap<String, Heartbeat>, lanes: &[LaneCounts]) -> Finding {
    if !workers.is_empty() {
        return Finding::ok(GROUP, "workers", format!("{} running", workers.len()));
    }
    let what = "no worker runs";
    let advice = "start songda work, and see in the logs why the last worker ended";
    if lanes.iter().any(|lane| lane.due > 0) {
        Finding::fault(GROUP, "workers", format!("{what}, and jobs are due"), advice)
    } else {
        Finding::warning(GROUP, "workers", what, advice)
    }
}

fn of_breakers(workers: &BTreeMap<String, Heartbeat>) -> Vec<Finding> {
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    for lane in workers.values().flat_map(|worker| &worker.lanes) {
        *open.entry(&lane.lane).or_default() += usize::from(lane.breaker != "closed");
    }
    let told = |(lane, count): (&str, usize)| {
        let what = format!("{count} workers have stopped calling the gateway of {lane}, because it did not answer");
        let advice = "see the finding about the gateway; the workers resume on their own when it answers again";
        Finding::warning(GROUP, format!("breaker.{lane}"), what, advice)
    };
    open.into_iter().filter(|(_, count)| *count > 0).map(told).collect()
}
