//! Checks how several Redis servers work together: that a replica can take over if a primary is lost, and that a
//! cluster serves all hash slots.

use std::collections::BTreeSet;

use songda::queue::connection::node::Node;
use songda::queue::survey::{Member, Sentinel};

use super::super::causes::with_causes;
use super::super::finding::Finding;
use super::server::GROUP;

/// Checks the sentinels, and the replicas of the primary that they watch.
pub fn watched(sentinels: &[Sentinel], members: &[Member]) -> Vec<Finding> {
    let views = sentinels.iter().filter_map(|sentinel| sentinel.view.as_ref().ok());
    let primaries: BTreeSet<&Node> = views.filter_map(|view| view.primary.as_ref()).collect();
    let mut findings: Vec<Finding> = sentinels.iter().filter_map(of_sentinel).collect();
    if primaries.len() > 1 {
        let what = format!("the sentinels disagree about the primary: {}", list(primaries));
        let advice = "run this check again; if they still disagree, they cannot reach each other";
        findings.push(Finding::warning(GROUP, "sentinels", what, advice));
    } else if let (Some(primary), true) = (primaries.first(), findings.is_empty()) {
        let what = format!("{} sentinels agree on the primary {primary}, and can elect another", sentinels.len());
        findings.push(Finding::ok(GROUP, "sentinels", what));
    }
    findings.push(of_replicas(members));
    findings
}

/// Returns a finding if the sentinel does not answer, does not know the set of servers that `SONGDA_REDIS_URL` names,
/// or cannot have another primary elected. `None` if all is well.
fn of_sentinel(sentinel: &Sentinel) -> Option<Finding> {
    const CHECK: &str = "sentinels";
    let finding = match &sentinel.view {
        Err(error) => {
            let what = format!("no answer: {}", with_causes(error));
            Finding::warning(GROUP, CHECK, what, "start it, or correct SONGDA_REDIS_URL")
        }
        Ok(view) if view.primary.is_none() => {
            let what = "it does not know the set that SONGDA_REDIS_URL names";
            let advice = "add the set there with `sentinel monitor`, or correct its name in SONGDA_REDIS_URL";
            Finding::fault(GROUP, CHECK, what, advice)
        }
        Ok(view) => {
            let what = format!("it cannot have another primary elected: {}", view.no_quorum.as_ref()?);
            let advice = "start the other sentinels, and make sure that they can reach each other";
            Finding::fault(GROUP, CHECK, what, advice)
        }
    };
    Some(finding.at(&sentinel.node))
}

/// Checks the hash slots and the replicas of a cluster. `unheld` is the number of slots without a node.
pub fn cluster(members: &[Member], unheld: u16) -> Vec<Finding> {
    let slots = if unheld == 0 {
        Finding::ok(GROUP, "slots", "every hash slot has a node")
    } else {
        let what = format!("{unheld} of 16384 hash slots have no node: the jobs of their lanes wait");
        Finding::fault(GROUP, "slots", what, "run redis-cli --cluster check, then redis-cli --cluster fix")
    };
    vec![slots, of_replicas(members)]
}

fn of_replicas(members: &[Member]) -> Finding {
    const CHECK: &str = "replicas";
    let copied: BTreeSet<&Node> = members.iter().filter_map(|member| member.replica_of.as_ref()).collect();
    let primaries = members.iter().filter(|member| member.replica_of.is_none()).map(|member| &member.node);
    let alone: BTreeSet<&Node> = primaries.filter(|place| !copied.contains(place)).collect();
    if alone.is_empty() {
        return Finding::ok(GROUP, CHECK, "every primary has a replica that can take over");
    }
    let what = format!("no replica can take over from {}: while a primary is down, its jobs wait", list(alone));
    Finding::warning(GROUP, CHECK, what, "add a replica (docs/operations/run.md, Redis)")
}

fn list(nodes: BTreeSet<&Node>) -> String {
    nodes.into_iter().map(Node::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use songda::queue::survey::SentinelView;

    use super::*;

    fn node(port: u16) -> Node {
        Node { host: "here".to_owned(), port }
    }

    fn sentinel(primary: Option<u16>, no_quorum: Option<&str>) -> Sentinel {
        let no_quorum = no_quorum.map(str::to_owned);
        let view = SentinelView { primary: primary.map(node), replicas: Vec::new(), no_quorum };
        Sentinel { node: node(26_379), view: Ok(view) }
    }

    fn member(port: u16, replica_of: Option<u16>) -> Member {
        let report = Err(redis::RedisError::from((redis::ErrorKind::Io, "away")).into());
        Member { node: node(port), replica_of: replica_of.map(node), report }
    }

    fn states(findings: Vec<Finding>) -> Vec<(String, String)> {
        let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let state = |finding| {
            let finding = serde_json::to_value(finding).unwrap();
            (word(&finding["check"]), word(&finding["state"]))
        };
        findings.into_iter().map(state).collect()
    }

    #[test]
    fn sentinels_that_cannot_elect_a_primary_are_found() {
        let members = [member(1, None), member(2, Some(1))];
        let found = |sentinels: &[Sentinel]| {
            let mut states = states(watched(sentinels, &members));
            assert_eq!(states.pop(), Some(("replicas".to_owned(), "ok".to_owned())));
            states
                .into_iter()
                .map(|(check, state)| (check == "sentinels").then_some(state).unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(found(&[sentinel(Some(1), None), sentinel(Some(1), None)]), ["ok"]);
        assert_eq!(found(&[sentinel(Some(1), None), sentinel(Some(2), None)]), ["warning"]);
        assert_eq!(found(&[sentinel(Some(1), None), sentinel(None, None)]), ["fault"]);
        assert_eq!(found(&[sentinel(Some(1), Some("not enough"))]), ["fault"]);
    }

    #[test]
    fn a_primary_without_a_replica_is_named() {
        let members = [member(1, None), member(2, None), member(3, Some(2))];
        let report = serde_json::to_value(of_replicas(&members)).unwrap();
        assert_eq!(report["state"], "warning");
        assert!(report["what"].as_str().unwrap().contains("here:1:"), "{report}");
        let (slots, replicas) =
            (("slots".to_owned(), "fault".to_owned()), ("replicas".to_owned(), "warning".to_owned()));
        assert_eq!(states(cluster(&members, 1)), [slots, replicas]);
    }
}
