//! Which node of a cluster holds which slots, as a node answers to `CLUSTER SLOTS`.

use std::collections::BTreeSet;

use redis::{ErrorKind, FromRedisValue, RedisError, RedisResult, Value};

use crate::queue::connection::hash_slot::SLOTS;
use crate::queue::connection::node::Node;

/// Who holds which slots, the lowest first.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::queue) struct Map(Vec<Part>);

/// Slots in a row that are held by the same nodes.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    first: u16,
    last: u16,
    primary: Node,
    replicas: Vec<Node>,
}

impl Map {
    /// Reads what a node answered. One that knows of no slots is no member of the cluster any more, or not yet.
    pub(in crate::queue) fn read(answer: &Value, node: &Node) -> RedisResult<Self> {
        let parts = Vec::<Vec<Value>>::from_redis_value_ref(answer)?;
        let mut parts: Vec<Part> = parts.iter().filter_map(|part| Part::read(part, node)).collect();
        if parts.is_empty() {
            return Err((ErrorKind::Client, "a node knows of no slots").into());
        }
        parts.sort_unstable_by_key(|part| part.first);
        Ok(Self(parts))
    }

    /// The node to ask for the keys of a slot.
    pub(in crate::queue) fn primary(&self, slot: u16) -> RedisResult<&Node> {
        let part = self.0.iter().find(|part| (part.first..=part.last).contains(&slot));
        let nobody = || RedisError::from((ErrorKind::Client, "no node holds this slot"));
        part.map(|part| &part.primary).ok_or_else(nobody)
    }

    /// All nodes that hold slots for others to copy.
    pub(in crate::queue) fn primaries(&self) -> BTreeSet<&Node> {
        self.0.iter().map(|part| &part.primary).collect()
    }

    /// All nodes that hold a copy, each with the node whose slots it copies.
    pub(in crate::queue) fn replicas(&self) -> BTreeSet<(&Node, &Node)> {
        self.0.iter().flat_map(|part| part.replicas.iter().map(|replica| (replica, &part.primary))).collect()
    }

    /// How many slots are held by nobody.
    pub(in crate::queue) fn unheld(&self) -> u16 {
        self.0.iter().fold(SLOTS, |left, part| left.saturating_sub(part.last - part.first + 1))
    }

    /// Whether a node is part of it.
    pub(in crate::queue) fn names(&self, node: &Node) -> bool {
        self.0.iter().any(|part| part.primary == *node || part.replicas.contains(node))
    }
}

impl Part {
    /// `[first, last, primary, replica…]`
    fn read(part: &[Value], asked: &Node) -> Option<Self> {
        let [Value::Int(first), Value::Int(last), primary, replicas @ ..] = part else { return None };
        let (first, last) = (u16::try_from(*first).ok()?, u16::try_from(*last).ok()?);
        let replicas = replicas.iter().filter_map(|replica| node(replica, asked)).collect();
        (first <= last && last < SLOTS).then_some(())?;
        Some(Self { first, last, primary: node(primary, asked)?, replicas })
    }
}

/// `[host, port, …]`; no host, or an empty one, is that of the node that was asked, and `?` one that nobody knows.
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

    fn read(answer: &str) -> RedisResult<Map> {
        Map::read(&redis::parse_redis_value(answer.as_bytes()).unwrap(), &at("asked", 1))
    }

    #[test]
    fn the_map_is_read() {
        let map = read(
            "*2\r\n*3\r\n:8000\r\n:16383\r\n*4\r\n$0\r\n\r\n:7002\r\n$2\r\nid\r\n*0\r\n\
             *5\r\n:0\r\n:7998\r\n*3\r\n$3\r\none\r\n:7001\r\n$2\r\nid\r\n*3\r\n$3\r\ntwo\r\n:7003\r\n$2\r\nid\r\n\
             *3\r\n$1\r\n?\r\n:7004\r\n$2\r\nid\r\n",
        )
        .unwrap();
        let (one, asked, two) = (at("one", 7001), at("asked", 7002), at("two", 7003));
        assert_eq!((map.primary(0), map.primary(7_998), map.primary(16_383)), (Ok(&one), Ok(&one), Ok(&asked)));
        assert!(map.primary(7_999).is_err());
        assert_eq!(map.unheld(), 1);
        assert_eq!(map.primaries().into_iter().collect::<Vec<_>>(), [&asked, &one]);
        assert_eq!(map.replicas().into_iter().collect::<Vec<_>>(), [(&two, &one)], "one replica is not known");
        assert!(map.names(&two) && !map.names(&at("one", 7002)));
    }

    #[test]
    fn a_node_that_knows_nothing_is_not_believed() {
        assert!(read("*0\r\n").is_err());
        assert!(read("*1\r\n*3\r\n:9\r\n:3\r\n*2\r\n$1\r\na\r\n:1\r\n").is_err());
        assert!(read("+OK\r\n").is_err());
    }
}
