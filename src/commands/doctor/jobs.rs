//! The promises: whether anybody keeps them, whether any is late, and which were given up.

use std::collections::BTreeMap;

use songda::queue::heartbeat::Present;
use songda::store::condition;
use songda::store::jobs::{Standing, standing};

use super::causes::with_causes;
use super::finding::Finding;
use super::installation::Installation;
use crate::commands::lanes;

pub const GROUP: &str = "jobs";

/// Counted up to this many.
const MOST: i64 = 10_000;
/// Later than this, in seconds, people begin to notice.
const LATE: f64 = 60.0;
const MUCH_TOO_LATE: f64 = 600.0;

pub async fn look(installation: &Installation) -> Vec<Finding> {
    let Some(database) = &installation.database else { return Vec::new() };
    let standing = async {
        let mut connection = condition::connect(database.url.expose()).await?;
        standing(&mut connection, &lanes::all(), MOST).await
    };
    let lanes = match standing.await {
        Ok(lanes) => lanes,
        Err(error) => {
            let advice = "mend the database first";
            return vec![Finding::fault(
                GROUP,
                "lanes",
                format!("cannot be looked at: {}", with_causes(&error)),
                advice,
            )];
        }
    };
    let mut findings: Vec<Finding> = vec![of_age(&lanes)];
    findings.extend(of_dead(&lanes));
    if let Some(queue) = &installation.queue
        && let Ok(workers) = queue.call_roll().await
    {
        findings.push(of_workers(&workers, &lanes));
        findings.extend(of_breakers(&workers));
    }
    findings
}

fn of_age(lanes: &[Standing]) -> Finding {
    let age = |lane: &Standing| lane.oldest_due.unwrap_or(0.0);
    let oldest = lanes.iter().max_by(|a, b| age(a).total_cmp(&age(b))).filter(|lane| age(lane) > 0.0);
    let Some(oldest) = oldest else { return Finding::ok(GROUP, "age", "nothing is due and undone") };
    let what = format!("the oldest due job waits since {:.0} s, in lane {}", age(oldest), oldest.lane);
    let advice = "songda top shows why: no worker, an open breaker, or a rate below what comes in";
    match age(oldest) {
        age if age > MUCH_TOO_LATE => Finding::fault(GROUP, "age", what, advice),
        age if age > LATE => Finding::warning(GROUP, "age", what, advice),
        _ => Finding::ok(GROUP, "age", what),
    }
}

fn of_dead(lanes: &[Standing]) -> Vec<Finding> {
    let dead: Vec<&Standing> = lanes.iter().filter(|lane| lane.dead > 0).collect();
    if dead.is_empty() {
        return vec![Finding::ok(GROUP, "dead", "no dead letters")];
    }
    let told = |lane: &Standing| {
        let Standing { lane, dead, .. } = lane;
        let count = if *dead < MOST { dead.to_string() } else { format!("{MOST} or more") };
        let what = format!("{count} dead letters in lane {lane}");
        let advice =
            format!("songda jobs list --lane {lane} says why; mend that, then songda jobs replay --lane {lane}");
        Finding::warning(GROUP, format!("dead.{lane}"), what, advice)
    };
    dead.into_iter().map(told).collect()
}

fn of_workers(workers: &BTreeMap<String, Present>, lanes: &[Standing]) -> Finding {
    if !workers.is_empty() {
        return Finding::ok(GROUP, "workers", format!("{} at work", workers.len()));
    }
    let what = "no worker is at work";
    let advice = "start songda work, and see why the one before ended";
    if lanes.iter().any(|lane| lane.due > 0) {
        Finding::fault(GROUP, "workers", format!("{what}, and jobs are due"), advice)
    } else {
        Finding::warning(GROUP, "workers", what, advice)
    }
}

fn of_breakers(workers: &BTreeMap<String, Present>) -> Vec<Finding> {
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    for lane in workers.values().flat_map(|worker| &worker.lanes) {
        *open.entry(&lane.lane).or_default() += usize::from(lane.breaker != "closed");
    }
    let told = |(lane, count): (&str, usize)| {
        let what = format!("{count} workers leave the gateway of {lane} alone, because it did not answer");
        let advice = "see the finding about the gateway; work goes on by itself when it is back";
        Finding::warning(GROUP, format!("breaker.{lane}"), what, advice)
    };
    open.into_iter().filter(|(_, count)| *count > 0).map(told).collect()
}
