//! The lines to Redis, in whatever form it is run: one line to one server, one to whichever server is the primary, or one
//! to each node of a cluster. Whoever has a command asks for the way to its key.

pub mod address;
pub(super) mod cluster;
pub(super) mod endpoint;
pub(super) mod hash_slot;
pub mod node;
pub(super) mod redirects;
pub(super) mod single;
pub(super) mod single_flight;
pub(super) mod slots;

use std::slice;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection, PubSub};
use redis::{Cmd, Pipeline, RedisError, RedisFuture, RedisResult, Value};

use crate::queue::connection::address::{Address, Form};
use crate::queue::connection::cluster::Cluster;
use crate::queue::connection::endpoint::Place;
use crate::queue::connection::redirects::Lesson;
use crate::queue::connection::single::Line;

/// The lines. Cloning shares them.
#[derive(Clone)]
pub(super) enum Lines {
    /// All keys are at one place.
    One(Line),
    /// Each key is at the node that holds its slot.
    Cluster(Cluster),
}

impl Lines {
    pub(super) fn new(address: &Address) -> RedisResult<Self> {
        Ok(match &address.0 {
            Form::Server(server) => Self::One(Line::new(Place::to(server.clone())?)),
            Form::Sentinels(set) => Self::One(Line::new(Place::Primary(Arc::new(set.clone())))),
            Form::Cluster(seeds) => Self::Cluster(Cluster::new(seeds.clone())),
        })
    }

    /// What keys must have in common to be asked for in one pipeline: nothing, or their slot.
    pub(super) fn shard(&self, key: &str) -> u16 {
        match self {
            Self::One(_) => 0,
            Self::Cluster(_) => hash_slot::of(key),
        }
    }

    /// Asks whether every key can be asked for.
    pub(super) async fn ping(&self) -> RedisResult<()> {
        match self {
            Self::One(line) => redis::cmd("PING").query_async(&mut line.clone()).await,
            Self::Cluster(cluster) => cluster.ping().await,
        }
    }

    /// The way to the keys of a shard.
    pub(super) const fn way_to(&self, shard: u16) -> Way<'_> {
        Way { lines: self, shard }
    }
}

/// The way to keys that are at one place.
pub(super) struct Way<'a> {
    lines: &'a Lines,
    shard: u16,
}

impl Way<'_> {
    /// A connection of one's own to that place: a blocking read would hold up everybody on a shared one.
    pub(super) async fn connect(&self, answer_within: Duration) -> RedisResult<MultiplexedConnection> {
        let connected = self.line().await?.place().connect(answer_within).await;
        self.learn_of(&connected);
        connected
    }

    /// A connection that hears what is published on a channel there.
    pub(super) async fn listen(&self, channel: &str) -> RedisResult<PubSub> {
        let listening = self.line().await?.place().listen(channel).await;
        self.learn_of(&listening);
        listening
    }

    async fn line(&self) -> RedisResult<Line> {
        match self.lines {
            Lines::One(line) => Ok(line.clone()),
            Lines::Cluster(cluster) => cluster.line(self.shard).await,
        }
    }

    /// This is how it went over a connection of one's own.
    pub(super) fn learn_of<T>(&self, outcome: &RedisResult<T>) {
        self.learn(outcome.as_ref().map(|_| [].as_slice()));
    }

    fn learn(&self, answer: Result<&[Value], &RedisError>) {
        if let Lines::Cluster(cluster) = self.lines {
            cluster.learn(Lesson::of(answer));
        }
    }
}

impl ConnectionLike for Way<'_> {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let answer = self.line().await?.req_packed_command(command).await;
            self.learn(answer.as_ref().map(slice::from_ref));
            answer
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let answers = self.line().await?.req_packed_commands(commands, offset, count).await;
            self.learn(answers.as_deref());
            answers
        })
    }

    /// Nothing that we use asks for it.
    fn get_db(&self) -> i64 {
        0
    }
}
