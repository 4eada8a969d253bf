//! The map from a cluster's hash slots to its nodes, read from an answer to `CLUSTER SLOTS`.

use std::collections::BTreeSet;

use redis::{ErrorKind, FromRedisValue, RedisError, RedisResult, Value};

use crate::queue::connection::hash_slot::SLOTS;
use crate::queue::connection::node::Node;

/// The ranges of slots with their nodes, the lowest range first.
#[derive(Debug, PartialEq, Eq)]
pub struct SlotMap(Vec<SlotRange>);

/// Consecutive slots on the same nodes.
#[derive(Debug, PartialEq, Eq)]
struct SlotRange {
    first: u16,
    last: u16,
    primary: Node,
    replicas: Vec<Node>,
}

impl SlotMap {
    /// Parses a node's answer to `CLUSTER SLOTS`. Fails if the node knows no slots: it has left the cluster or not
    /// joined it yet.
    pub fn read(answer: &Value, node: &Node) -> RedisResult<Self> {
        let answer = Vec::<Vec<Value>>::from_redis_value_ref(answer)?;
        let mut ranges: Vec<SlotRange> = answer.iter().filter_map(|range| SlotRange::read(range, node)).collect();
        if ranges.is_empty() {
            return Err((ErrorKind::Client, "a node knows of no slots").into());
        }
        ranges.sort_unstable_by_key(|range| range.first);
        Ok(Self(ranges))
    }

    /// Returns the node that serves the keys of a slot.
    pub fn primary(&self, slot: u16) -> RedisResult<&Node> {
        let range = self.0.iter().find(|range| (range.first..=range.last).contains(&slot));
        let unheld = || RedisError::from((ErrorKind::Client, "no node holds this slot"));
        range.map(|range| &range.primary).ok_or_else(unheld)
    }

    pub fn primaries(&self) -> BTreeSet<&Node> {
        self.0.iter().map(|range| &range.primary).collect()
    }

    /// Returns all replicas, each with its primary.
    pub fn replicas(&self) -> BTreeSet<(&Node, &Node)> {
        self.0.iter().flat_map(|range| range.replicas.iter().map(|replica| (replica, &range.primary))).collect()
    }

    /// Returns the number of slots that no node serves.
    pub fn unheld(&self) -> u16 {
        self.0.iter().fold(SLOTS, |left, range| left.saturating_sub(range.last - range.first + 1))
    }

    /// True if the map contains the node, as a primary or a replica.
    pub fn names(&self, node: &Node) -> bool {
        self.0.iter().any(|range| range.primary == *node || range.replicas.contains(node))
    }
}

impl SlotRange {
    /// Parses one range of the answer: `[first, last, primary, replica…]`. `asked` is the node that sent the answer.
    fn read(range: &[Value], asked: &Node) -> Option<Self> {
        let [Value::Int(first), Value::Int(last), primary, replicas @ ..] = range else { return None };
        let first = u16::try_from(*first).ok()?;
        let last = u16::try_from(*last).ok()?;
        let replicas = replicas.iter().filter_map(|replica| node(replica, asked)).collect();
        (first <= last && last < SLOTS).then_some(())?;
        Some(Self { first, last, primary: node(primary, asked)?, replicas })
    }
}

/// Parses the address of a node: `[host, port, …]`. If the host is missing or empty, the node that sent the answer
/// (`asked`) means itself. Returns `None` for the unknown host `?`.
fn node(node: &Value, asked: &Node) -> Option<Node> {
    let Value::Array(node) = node else { return None };
    let [host, Value::Int(port), ..] = node.as_slice() else { return None };
    let host = Option::<String>::from_redis_value_ref(host).ok()?.filter(|host| !host.is_empty());
    let host = host.unwrap_or_else(|| asked.host.clone());
    (host != "?").then_some(Node { host, port: u16::try_from(*port).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str, port: u16) -> Node {
        Node { host: host.to_owned(), port }
    }

    fn read(answer: &str) -> RedisResult<SlotMap> {
        SlotMap::read(&redis::parse_redis_value(answer.as_bytes()).unwrap(), &at("asked", 1))
    }

    #[test]
    fn the_map_is_read() {
        let map = read(
            "*2\r\n*3\r\n:8000\r\n:16383\r\n*4\r\n$0\r\n\r\n:7002\r\n$2\r\nid\r\n*0\r\n\
             *5\r\n:0\r\n:7998\r\n*3\r\n$3\r\none\r\n:7001\r\n$2\r\nid\r\n*3\r\n$3\r\ntwo\r\n:7003\r\n$2\r\nid\r\n\
             *3\r\n$1\r\n?\r\n:7004\r\n$2\r\nid\r\n",
        )
        .unwrap();
        let one = at("one", 7001);
        let asked = at("asked", 7002);
        let two = at("two", 7003);
        assert_eq!((map.primary(0), map.primary(7_998), map.primary(16_383)), (Ok(&one), Ok(&one), Ok(&asked)));
        assert!(map.primary(7_999).is_err());
        assert_eq!(map.unheld(), 1);
        assert_eq!(map.primaries().into_iter().collect::<Vec<_>>(), [&asked, &one]);
        assert_eq!(
            map.replicas().into_iter().collect::<Vec<_>>(),
            [(&two, &one)],
            "the address of one replica is unknown"
        );
        assert!(map.names(&two) && !map.names(&at("one", 7002)));
    }

    #[test]
    fn a_node_that_knows_nothing_is_not_believed() {
        assert!(read("*0\r\n").is_err());
        assert!(read("*1\r\n*3\r\n:9\r\n:3\r\n*2\r\n$1\r\na\r\n:1\r\n").is_err());
        assert!(read("+OK\r\n").is_err());
    }
}
