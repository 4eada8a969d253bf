//! Redis as a cluster of three nodes: everything works as on one server, also while a node is away or empty.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use songda::demo::journeys;
use songda::domain::kernel::clock::fresh;
use songda::domain::kernel::ids::PersonId;
use songda::queue::limiter::Quota;

use crate::support::desk::Desk;
use crate::support::doctor::Report;
use crate::support::load::Installation;
use crate::support::servers::{Own, connect};
use crate::support::wait::{TIMEOUT, wait_until};

#[tokio::test]
async fn everything_works_on_a_cluster_as_on_one_server() {
    let own = Own::redis_cluster("test-cluster").await;
    let desk = Desk::builder().on(&own.servers).open().await;
    let stage = desk.stage();
    let (certificate, licence) = tokio::join!(journeys::certificate(&stage), journeys::licence(&stage));
    certificate.and(licence).unwrap_or_else(|mishap| panic!("{mishap}"));
    assert_lanes_are_spread(&own, &desk).await;
    assert_limits_are_shared(&desk).await;
    assert_news_are_heard(&desk).await;
    let worker_is_seen = async || desk.queue().live_workers().await.unwrap().len() == 1;
    wait_until("the worker sends its heartbeat", worker_is_seen).await;

    let report = Report::of(&desk, &[]).await;
    report.assert_finds("redis", "replicas", "warning", "replica");
    for (check, states) in
        [("slots", vec!["ok"]), ("server", vec!["ok"; 3]), ("eviction", vec!["ok"; 3]), ("persistence", vec!["ok"; 3])]
    {
        assert_eq!(report.states("redis", check), states, "{}", report.text);
    }
    desk.close().await;
    own.close().await;
}

#[tokio::test]
async fn decisions_are_accepted_while_a_node_is_emptied_killed_or_silent() {
    let mut own = Own::redis_cluster("test-cluster-in-trouble").await;
    let installation = Installation::start(&own).await;
    let clerk = &installation.clerk;
    let trouble = async {
        clerk.some_are_accepted().await;
        for node in ["redis-1", "redis-2", "redis-3"] {
            own.order(&format!("empty {node}")).await;
            clerk.some_are_accepted().await;
            own.order(&format!("kill {node}")).await;
            clerk.some_are_accepted().await;
            installation.is_degraded().await;
            own.order(&format!("start {node}")).await;
            installation.is_ready().await;
        }
        own.order("pause redis-1").await;
        clerk.some_are_accepted().await;
        own.order("resume redis-1").await;
        installation.is_ready().await;
        clerk.some_are_accepted().await;
        clerk.stop();
    };
    tokio::join!(clerk.work(), trouble);
    installation.close(None).await;
    own.close().await;
}

/// Asserts that no node has the streams of all lanes.
async fn assert_lanes_are_spread(own: &Own, desk: &Desk) {
    let streams = format!("{}*:jobs", desk.redis_prefix());
    let mut lanes = Vec::new();
    for node in own.servers.nodes_of_redis() {
        let mut node = connect(&node).await;
        let held: Vec<String> = redis::cmd("KEYS").arg(&streams).query_async(&mut node).await.unwrap();
        lanes.push(held.len());
    }
    assert_eq!(lanes.iter().sum::<usize>(), 7, "every lane has its stream: {lanes:?}");
    assert!(lanes.iter().filter(|lanes| **lanes > 0).count() > 1, "{lanes:?}");
}

/// Asserts that two processes count a caller's requests together, on whichever node the count is.
async fn assert_limits_are_shared(desk: &Desk) {
    let window = Duration::from_secs(60);
    let here = desk.queue();
    let there = desk.queue();
    for caller in 0..20 {
        let caller = caller.to_string();
        let quota = Quota { name: "test", caller: &caller, requests: 2, window };
        let mut allowed = Vec::new();
        for process in [&here, &there, &here] {
            allowed.push(process.spend(&quota, 0).await.unwrap().allowed);
        }
        assert_eq!(allowed, [true, true, false], "{caller}");
    }
}

/// Asserts that one process gets the announcements of another process.
async fn assert_news_are_heard(desk: &Desk) {
    let people: [PersonId; 2] = [(); 2].map(|()| fresh(PersonId::from_uuid));
    let here = desk.queue();
    let there = desk.queue();
    let mut heard = Box::pin(here.listen().await.unwrap());
    there.announce(&people).await.unwrap();
    let heard = tokio::time::timeout(TIMEOUT, heard.next()).await.unwrap().unwrap();
    assert_eq!(heard.into_iter().collect::<BTreeSet<_>>(), people.into_iter().collect());
}
