//! A cluster: a line to each of its nodes, and the map that says which node holds a key.
//!
//! Why not the client of the redis crate: a line of it that fell silent stays so, one lost node holds up the commands to
//! all others while it looks for the new order, and a blocking read has to find its node by itself anyway. Our needs
//! are smaller than its. Every command of ours concerns one slot, and each failure means the same to who asked: try again
//! later. So an answer that shows the map to be old, or none at all, only makes us read the map anew.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{select_ok, try_join_all};
use redis::{ErrorKind, RedisError, RedisResult, Value};

use crate::domain::kernel::clock::Stopwatch;
use crate::queue::connection::address::Seeds;
use crate::queue::connection::endpoint::Place;
use crate::queue::connection::node::{Access, Node};
use crate::queue::connection::redirects::Lesson;
use crate::queue::connection::single::Line;
use crate::queue::connection::single_flight::Remade;
use crate::queue::connection::slots::Map;

/// The cluster. Cloning shares it.
#[derive(Clone)]
pub(in crate::queue) struct Cluster(Arc<Shared>);

struct Shared {
    seeds: Seeds,
    map: Remade<Known>,
    lines: Mutex<HashMap<Node, Line>>,
}

/// A map, and how long ago it was read.
#[derive(Clone)]
struct Known {
    map: Arc<Map>,
    since: Stopwatch,
}

/// However much goes wrong, the map is not read anew more often than this.
const ANEW_EVERY: Duration = Duration::from_millis(100);

impl Cluster {
    /// Prepares lines to a cluster.
    pub(in crate::queue) fn new(seeds: Seeds) -> Self {
        Self(Arc::new(Shared { seeds, map: Remade::new(), lines: Mutex::default() }))
    }

    /// How its nodes are spoken to.
    pub(in crate::queue) fn access(&self) -> &Access {
        &self.0.seeds.access
    }

    /// The line to the node that holds a slot.
    pub(in crate::queue) async fn line(&self, slot: u16) -> RedisResult<Line> {
        self.line_to(self.map().await?.primary(slot)?)
    }

    /// The line to a node.
    fn line_to(&self, node: &Node) -> RedisResult<Line> {
        let mut lines = self.lines();
        if let Some(line) = lines.get(node) {
            return Ok(line.clone());
        }
        let line = Line::new(Place::at(node, self.access())?);
        lines.insert(node.clone(), line.clone());
        Ok(line)
    }

    /// Which node holds which slots, as far as is known.
    pub(in crate::queue) async fn map(&self) -> RedisResult<Arc<Map>> {
        let cluster = self.clone();
        self.0.map.get(|| cluster.read_map()).await.map(|known| known.map)
    }

    /// Asks whether somebody answers for every slot.
    pub(in crate::queue) async fn ping(&self) -> RedisResult<()> {
        let map = self.map().await?;
        let pings = map.primaries().into_iter().map(|node| self.ping_node(node));
        let answer = if map.unheld() == 0 { try_join_all(pings).await.map(drop) } else { Err(down()) };
        if answer.is_err() {
            self.learn(Lesson::Elsewhere);
        }
        answer
    }

    /// A node answers to `PING` even while the cluster takes nothing.
    async fn ping_node(&self, node: &Node) -> RedisResult<()> {
        let state: String = redis::cmd("CLUSTER").arg("INFO").query_async(&mut self.line_to(node)?).await?;
        if state.contains("cluster_state:ok") { Ok(()) } else { Err(down()) }
    }

    /// An answer taught this: is the map still right?
    pub(in crate::queue) fn learn(&self, lesson: Lesson) {
        if lesson != Lesson::None {
            self.0.map.forget_if(|known| known.since.elapsed() > ANEW_EVERY);
        }
    }

    /// Asks all nodes that were ever heard of, and takes the first map: those that are away must not be waited for.
    async fn read_map(self) -> RedisResult<Known> {
        let nodes: BTreeSet<Node> = self.0.seeds.nodes.iter().chain(self.lines().keys()).cloned().collect();
        let answers = nodes.into_iter().map(|node| self.clone().ask(node).boxed());
        let (map, _) = select_ok(answers).await?;
        self.lines().retain(|node, _| map.names(node) || self.0.seeds.nodes.contains(node));
        Ok(Known { map: Arc::new(map), since: Stopwatch::start() })
    }

    async fn ask(self, node: Node) -> RedisResult<Map> {
        let answer: Value = redis::cmd("CLUSTER").arg("SLOTS").query_async(&mut self.line_to(&node)?).await?;
        Map::read(&answer, &node)
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<Node, Line>> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn down() -> RedisError {
    (ErrorKind::Client, "the cluster does not hold all slots").into()
}
