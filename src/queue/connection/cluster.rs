//! A client of a Redis Cluster: a connection to each node, and the map from hash slots to nodes.
//!
//! The redis crate has a cluster client too, which is not used for three reasons (as of redis 1.8; redis-rs issues
//! #1528 and #1005). It never replaces a connection that gets no answers. While it reads the map again after the loss
//! of a node, commands to all other nodes wait. And it does not help with blocking reads, which need their own
//! connection to the right node.
//!
//! The client in this file is simpler. Every command concerns one slot, and every caller tries again later after a
//! failure. So after a redirect or a missing answer, this client does not repeat the command. It only reads the map
//! again before the next command.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{select_ok, try_join_all};
use redis::{ErrorKind, RedisError, RedisResult, Value};

use crate::domain::kernel::clock::Stopwatch;
use crate::queue::connection::address::Seeds;
use crate::queue::connection::endpoint::Endpoint;
use crate::queue::connection::error_class::ErrorClass;
use crate::queue::connection::node::{Access, Node};
use crate::queue::connection::single::SharedConnection;
use crate::queue::connection::slots::SlotMap;
use crate::single_flight::SingleFlight;

/// A client of a Redis Cluster. Cloning shares the connections and the map.
#[derive(Clone)]
pub struct Cluster(Arc<Inner>);

struct Inner {
    seeds: Seeds,
    map: SingleFlight<ReadMap, RedisError>,
    connections: Mutex<HashMap<Node, SharedConnection>>,
}

#[derive(Clone)]
struct ReadMap {
    map: Arc<SlotMap>,
    /// Measures the time since the map was read.
    since: Stopwatch,
}

/// The map is read at most once in this time, even if many commands fail.
const READ_MAP_EVERY: Duration = Duration::from_millis(100);

impl Cluster {
    pub fn new(seeds: Seeds) -> Self {
        Self(Arc::new(Inner { seeds, map: SingleFlight::new(), connections: Mutex::default() }))
    }

    pub fn access(&self) -> &Access {
        &self.0.seeds.access
    }

    /// Returns the connection to the node of a slot.
    pub async fn connection(&self, slot: u16) -> RedisResult<SharedConnection> {
        self.connection_to(self.map().await?.primary(slot)?)
    }

    fn connection_to(&self, node: &Node) -> RedisResult<SharedConnection> {
        let mut connections = self.connections();
        if let Some(connection) = connections.get(node) {
            return Ok(connection.clone());
        }
        let connection = SharedConnection::new(Endpoint::at(node, self.access())?);
        connections.insert(node.clone(), connection.clone());
        Ok(connection)
    }

    /// Returns the map from hash slots to nodes. Reads it from the cluster if it was not read before, or if an error
    /// occurred since.
    pub async fn map(&self) -> RedisResult<Arc<SlotMap>> {
        let cluster = self.clone();
        self.0.map.get(|| cluster.read_map()).await.map(|read| read.map)
    }

    /// Checks that a node answers for every slot.
    pub async fn ping(&self) -> RedisResult<()> {
        let map = self.map().await?;
        let pings = map.primaries().into_iter().map(|node| self.ping_node(node));
        let answer = if map.unheld() == 0 { try_join_all(pings).await.map(drop) } else { Err(down()) };
        if answer.is_err() {
            self.record(ErrorClass::Redirected);
        }
        answer
    }

    /// Asks a node for the state of the cluster. `PING` is not enough: a node answers it even while the cluster takes
    /// no commands.
    async fn ping_node(&self, node: &Node) -> RedisResult<()> {
        let state: String = redis::cmd("CLUSTER").arg("INFO").query_async(&mut self.connection_to(node)?).await?;
        if state.contains("cluster_state:ok") { Ok(()) } else { Err(down()) }
    }

    /// Records the class of an answer. After any class but `None`, the next command reads the map again.
    pub fn record(&self, class: ErrorClass) {
        if class != ErrorClass::None {
            self.0.map.forget_if(|read| read.since.elapsed() > READ_MAP_EVERY);
        }
    }

    /// Asks all known nodes for the map and uses the first answer, so that a node that is down causes no delay.
    async fn read_map(self) -> RedisResult<ReadMap> {
        let nodes: BTreeSet<Node> = self.0.seeds.nodes.iter().chain(self.connections().keys()).cloned().collect();
        let answers = nodes.into_iter().map(|node| self.clone().ask(node).boxed());
        let (map, _) = select_ok(answers).await?;
        self.connections().retain(|node, _| map.names(node) || self.0.seeds.nodes.contains(node));
        Ok(ReadMap { map: Arc::new(map), since: Stopwatch::start() })
    }

    async fn ask(self, node: Node) -> RedisResult<SlotMap> {
        let answer: Value = redis::cmd("CLUSTER").arg("SLOTS").query_async(&mut self.connection_to(&node)?).await?;
        SlotMap::read(&answer, &node)
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<Node, SharedConnection>> {
        self.0.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn down() -> RedisError {
    (ErrorKind::Client, "the cluster does not hold all slots").into()
}
