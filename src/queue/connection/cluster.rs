//! A client of a Redis Cluster: a connection to each node, and the map from hash slots to nodes.
//!
//! The cluster client of the redis crate does not fit (as of redis 1.8; redis-rs issues #1528 and #1005). It never
//! replaces a connection that gets no answers. While it reads the map again after the loss of a node, commands to all
//! other nodes wait. And a blocking read has to find its node by itself anyway. This client is simpler, because every
//! command concerns one slot, and after every failure the caller tries again later. So a redirect or a missing answer
//! only makes this client read the map again.

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

/// Cloning shares the connections and the map.
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
    /// Runs since the map was read.
    since: Stopwatch,
}

/// The shortest time between two readings of the map, however many commands fail.
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

    /// Returns the last map that was read. Reads it first if no map was read, or if an error put it in doubt.
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

    /// Asks for the state of the cluster, because a node answers `PING` even while the cluster takes no commands.
    async fn ping_node(&self, node: &Node) -> RedisResult<()> {
        let state: String = redis::cmd("CLUSTER").arg("INFO").query_async(&mut self.connection_to(node)?).await?;
        if state.contains("cluster_state:ok") { Ok(()) } else { Err(down()) }
    }

    /// Records the class of an answer. After any error the map is read again.
    pub fn record(&self, class: ErrorClass) {
        if class != ErrorClass::None {
            self.0.map.forget_if(|read| read.since.elapsed() > READ_MAP_EVERY);
        }
    }

    /// Asks all known nodes and takes the first answer, so that it does not wait for a node that is down.
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
