//! Redis as a cluster of three nodes: all that one server does, and what becomes of it while a node is away or empty.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use songda::demo::journeys;
use songda::domain::kernel::clock::fresh;
use songda::domain::kernel::ids::PersonId;
use songda::queue::quota::Quota;

use crate::operations::doctor::Report;
use crate::resilience::outages::Office;
use crate::support::desk::{Desk, PATIENCE, wait_until};
use crate::support::servers::Own;

#[tokio::test]
async fn a_cluster_does_what_one_server_does() {
    let own = Own::redis_cluster("test-cluster").await;
    let desk = Desk::open_on(&own.servers).await;
    let stage = desk.stage();
    let (certificate, licence) = tokio::join!(journeys::certificate(&stage), journeys::licence(&stage));
    certificate.and(licence).unwrap_or_else(|mishap| panic!("{mishap}"));
    lanes_are_spread(&own, &desk).await;
    limits_are_shared(&desk).await;
    news_are_heard(&desk).await;
    let worker_is_seen = async || desk.queue().call_roll().await.unwrap().len() == 1;
    wait_until("the worker answers the roll", worker_is_seen).await;

    let report = Report::of(&desk, &[]).await;
    report.finds("redis", "replicas", "warning", "replica");
    for (check, states) in
        [("slots", vec!["ok"]), ("server", vec!["ok"; 3]), ("eviction", vec!["ok"; 3]), ("persistence", vec!["ok"; 3])]
    {
        assert_eq!(report.states("redis", check), states, "{}", report.text);
    }
    desk.close().await;
    own.close().await;
}

#[tokio::test]
async fn a_node_is_emptied_killed_and_silent_while_decisions_come() {
    let mut own = Own::redis_cluster("test-cluster-in-trouble").await;
    let office = Office::open(&own).await;
    let clerk = &office.clerk;
    let trouble = async {
        clerk.some_are_taken().await;
        for node in ["redis-1", "redis-2", "redis-3"] {
            own.order(&format!("empty {node}")).await;
            clerk.some_are_taken().await;
            own.order(&format!("kill {node}")).await;
            clerk.some_are_taken().await;
            assert_eq!(office.status().await, "degraded");
            own.order(&format!("start {node}")).await;
            office.is_well().await;
        }
        own.order("pause redis-1").await;
        clerk.some_are_taken().await;
        own.order("resume redis-1").await;
        office.is_well().await;
        clerk.some_are_taken().await;
        clerk.go_home();
    };
    tokio::join!(clerk.work(), trouble);
    office.close(None).await;
    own.close().await;
}

/// No node holds the streams of all lanes.
async fn lanes_are_spread(own: &Own, desk: &Desk) {
    let streams = format!("{}*:jobs", desk.setting("SONGDA_REDIS_PREFIX"));
    let mut lanes = Vec::new();
    for node in own.servers.nodes_of_redis() {
        let mut node = node.get_multiplexed_async_connection().await.unwrap();
        let held: Vec<String> = redis::cmd("KEYS").arg(&streams).query_async(&mut node).await.unwrap();
        lanes.push(held.len());
    }
    assert_eq!(lanes.iter().sum::<usize>(), 6, "every lane has its stream: {lanes:?}");
    assert!(lanes.iter().filter(|lanes| **lanes > 0).count() > 1, "{lanes:?}");
}

/// Two processes count together, wherever a caller's count is kept.
async fn limits_are_shared(desk: &Desk) {
    let (each, window) = (Duration::from_secs(30), Duration::from_secs(60));
    let (here, there) = (desk.queue(), desk.queue());
    for caller in 0..20 {
        let caller = caller.to_string();
        let quota = Quota { name: "test", caller: &caller, each, window };
        let mut allowed = Vec::new();
        for process in [&here, &there, &here] {
            allowed.push(process.spend(&quota, 0).await.unwrap().allowed);
        }
        assert_eq!(allowed, [true, true, false], "{caller}");
    }
}

/// What one process announces, another one hears.
async fn news_are_heard(desk: &Desk) {
    let people: [PersonId; 2] = [(); 2].map(|()| fresh(PersonId::from_uuid));
    let (here, there) = (desk.queue(), desk.queue());
    let mut heard = Box::pin(here.listen().await.unwrap());
    there.announce(&people).await.unwrap();
    let heard = tokio::time::timeout(PATIENCE, heard.next()).await.unwrap().unwrap();
    assert_eq!(heard.into_iter().collect::<BTreeSet<_>>(), people.into_iter().collect());
}
