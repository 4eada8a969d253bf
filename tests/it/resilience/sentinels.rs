//! Redis behind sentinels: its primary dies or falls silent while decisions are made, the replica takes over, and no
//! process of ours is started anew or told where Redis is now.

use songda::demo::wait;
use songda::queue::connection::node::Node;
use songda::queue::survey::{Member, Survey};

use crate::operations::doctor::Report;
use crate::resilience::outages::Office;
use crate::support::desk::{PATIENCE, wait_until};
use crate::support::servers::Own;

#[tokio::test]
async fn a_fail_over_is_followed() {
    let mut own = Own::redis_with_sentinels("test-sentinels").await;
    let office = Office::open(&own).await;
    let clerk = &office.clerk;
    let (first, second) = primary_and_replica(&office).await;

    let trouble = async {
        clerk.some_are_taken().await;
        own.order("kill redis-1").await;
        clerk.some_are_taken().await;
        takes_over(&office, &second).await;
        clerk.some_are_taken().await;
        own.order("start redis-1").await;
        follows(&office, &first, &second).await;

        // Its connections stand, so nothing but their silence says that it is gone.
        own.order("pause redis-2").await;
        clerk.some_are_taken().await;
        takes_over(&office, &first).await;
        clerk.some_are_taken().await;
        own.order("resume redis-2").await;
        follows(&office, &second, &first).await;
        clerk.some_are_taken().await;
        clerk.go_home();
    };
    tokio::join!(clerk.work(), trouble);

    is_found_well(&office).await;
    office.close(None).await;
    own.close().await;
}

/// Waits until the doctor finds all of it well. Sentinels that watch each other agree a moment later than the servers.
async fn is_found_well(office: &Office) {
    let mut said = String::new();
    let found = wait::until("all of Redis is found well", PATIENCE, async || {
        let report = Report::of(&office.desk, &[]).await;
        let well = [("sentinels", 1), ("replicas", 1), ("server", 2), ("eviction", 2)];
        let is_well = well.iter().all(|(check, places)| report.states("redis", check) == vec!["ok"; *places]);
        said = report.text;
        Ok(is_well.then_some(()))
    });
    let found = found.await;
    assert!(found.is_ok(), "{found:?}: {said}");
}

/// Waits until our processes are served by the primary at this place.
async fn takes_over(office: &Office, place: &Node) {
    wait_until("another primary is found", async || primary(office).await.as_ref() == Some(place)).await;
    office.is_well().await;
}

async fn primary(office: &Office) -> Option<Node> {
    let members = members(office).await;
    let primary = members.into_iter().find(|member| member.copies.is_none())?;
    primary.condition.is_ok_and(|condition| condition.role == "master").then_some(primary.place)
}

/// Waits until the server at one place copies the one at another.
async fn follows(office: &Office, replica: &Node, primary: &Node) {
    let follows = |member: &Member| {
        member.place == *replica
            && member.copies.as_ref() == Some(primary)
            && member.condition.as_ref().is_ok_and(|condition| condition.role == "slave" && condition.in_step)
    };
    let is_so = async || members(office).await.iter().any(follows);
    wait_until("who was the primary follows", is_so).await;
}

async fn primary_and_replica(office: &Office) -> (Node, Node) {
    let members = members(office).await;
    let place = |is_primary| members.iter().find(|member| member.copies.is_none() == is_primary).unwrap().place.clone();
    (place(true), place(false))
}

async fn members(office: &Office) -> Vec<Member> {
    match office.desk.queue().survey().await.unwrap() {
        Survey::Sentinels { members, .. } => members,
        _ => unreachable!("sentinels watch it"),
    }
}
