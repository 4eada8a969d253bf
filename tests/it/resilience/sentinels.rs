//! Redis behind sentinels: its primary dies or falls silent while decisions are reported, the replica takes over, and
//! no process of ours is restarted or given the new address.

use songda::demo::wait;
use songda::queue::connection::node::Node;
use songda::queue::survey::{Member, Survey};

use crate::support::doctor::Report;
use crate::support::load::Installation;
use crate::support::servers::Own;
use crate::support::wait::{TIMEOUT, wait_until};

#[tokio::test]
async fn processes_follow_a_fail_over_to_the_replica_and_back() {
    let mut own = Own::redis_with_sentinels("test-sentinels").await;
    let installation = Installation::start(&own).await;
    let clerk = &installation.clerk;
    let [first, second] = primary_and_replica(&installation).await;

    let trouble = async {
        clerk.some_are_accepted().await;
        own.order("kill redis-1").await;
        clerk.some_are_accepted().await;
        wait_for_primary(&installation, &second).await;
        clerk.some_are_accepted().await;
        own.order("start redis-1").await;
        wait_for_replica(&installation, &first, &second).await;

        // Connections to the paused server stay open, so its silence is the only sign that it is gone.
        own.order("pause redis-2").await;
        clerk.some_are_accepted().await;
        wait_for_primary(&installation, &first).await;
        clerk.some_are_accepted().await;
        own.order("resume redis-2").await;
        wait_for_replica(&installation, &second, &first).await;
        clerk.some_are_accepted().await;
        clerk.stop();
    };
    tokio::join!(clerk.work(), trouble);

    wait_for_a_healthy_report(&installation).await;
    installation.close(None).await;
    own.close().await;
}

/// Waits until the doctor finds no fault. Sentinels agree with each other a moment later than the servers do.
async fn wait_for_a_healthy_report(installation: &Installation) {
    let mut text = String::new();
    let found = wait::until("all of Redis is found healthy", TIMEOUT, async || {
        let report = Report::of(&installation.desk, &[]).await;
        let checks = [("sentinels", 1), ("replicas", 1), ("server", 2), ("eviction", 2)];
        let is_healthy = checks.iter().all(|(check, count)| report.states("redis", check) == vec!["ok"; *count]);
        text = report.text;
        Ok(is_healthy.then_some(()))
    });
    let found = found.await;
    assert!(found.is_ok(), "{found:?}: {text}");
}

/// Waits until our processes use the primary at this address.
async fn wait_for_primary(installation: &Installation, node: &Node) {
    wait_until("another primary is found", async || primary(installation).await.as_ref() == Some(node)).await;
    installation.is_ready().await;
}

async fn primary(installation: &Installation) -> Option<Node> {
    let members = members(installation).await;
    let primary = members.into_iter().find(|member| member.replica_of.is_none())?;
    primary.report.is_ok_and(|condition| condition.role == "master").then_some(primary.node)
}

/// Waits until the server `replica` follows the server `primary` and has all its data.
async fn wait_for_replica(installation: &Installation, replica: &Node, primary: &Node) {
    let follows = |member: &Member| {
        member.node == *replica
            && member.replica_of.as_ref() == Some(primary)
            && member.report.as_ref().is_ok_and(|condition| condition.role == "slave" && condition.in_sync)
    };
    let is_replica = async || members(installation).await.iter().any(follows);
    wait_until("the former primary is a replica", is_replica).await;
}

async fn primary_and_replica(installation: &Installation) -> [Node; 2] {
    let members = members(installation).await;
    let place =
        |is_primary| members.iter().find(|member| member.replica_of.is_none() == is_primary).unwrap().node.clone();
    [place(true), place(false)]
}

async fn members(installation: &Installation) -> Vec<Member> {
    match installation.desk.queue().survey().await.unwrap() {
        Survey::Sentinels { members, .. } => members,
        _ => unreachable!("Redis has sentinels"),
    }
}
