//! Redis Streams of the ids of due jobs, one stream per lane (the queue of one gateway). An entry, called a *ring*,
//! only wakes a worker. The worker then checks in PostgreSQL whether the job must still be done.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use redis::aio::MultiplexedConnection;
use redis::streams::{StreamAutoClaimReply, StreamId, StreamReadOptions, StreamReadReply};
use redis::{AsyncCommands, FromRedisValue, RedisResult, Script};
use uuid::Uuid;

use crate::domain::kernel::ids::JobId;
use crate::domain::work::job::{Lane, Offer};
use crate::queue::connection::time_out::ANSWER_WITHIN;
use crate::queue::{Queue, QueueError};

const GROUP: &str = "workers";
const FIELD: &str = "job";
/// The maximum number of entries in a stream, far above any useful backlog. Redis drops the oldest entries beyond this
/// number, which limits memory. The sweeper later adds entries for their jobs again.
const LONGEST: usize = 1_000_000;

/// The argument of [`REMOVE_READERS`] that selects all readers.
const ALL_READERS: &str = "*";
/// Script that removes one reader or all readers from the consumer group. It skips readers that have unacknowledged
/// entries, or that were active within a given number of milliseconds. It returns the number of removed readers.
const REMOVE_READERS: &str = r"
local readers, gone = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1]), 0
if readers.err then return 0 end
for _, reader in ipairs(readers) do
  local about = {}
  for i = 1, #reader, 2 do about[reader[i]] = reader[i + 1] end
  local meant = ARGV[2] == '*' or ARGV[2] == about.name
  if meant and about.pending == 0 and about.idle >= tonumber(ARGV[3]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], about.name)
    gone = gone + 1
  end
end
return gone";

/// An entry of a stream: the wake-up for one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    /// The id of the entry, with which the worker acknowledges the entry.
    pub entry: String,
    /// `None` if the entry is unreadable. The worker then only acknowledges it.
    pub job: Option<JobId>,
}

/// The error if some jobs could not be added to their streams.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub struct NotOffered {
    /// The jobs that were not added. All other jobs were added to their streams.
    pub left: Vec<Offer>,
    #[source]
    cause: QueueError,
}

/// The oldest entry of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldestEntry {
    pub entry: String,
    /// How long ago the entry was added, by Redis's clock.
    pub age: Duration,
}

impl Queue {
    /// Adds jobs to the streams of their lanes, with one round trip per shard: a hash slot of a cluster, or all of
    /// Redis if it is no cluster. If Redis or a shard is unavailable, the error lists the jobs that were not added. The
    /// caller offers these jobs again, or leaves them to the sweeper.
    pub async fn offer(&self, offers: &[Offer]) -> Result<(), NotOffered> {
        let mut shards: BTreeMap<u16, Vec<&Offer>> = BTreeMap::new();
        for offer in offers {
            shards.entry(self.connections.shard(&self.lane_key(&offer.lane, "jobs"))).or_default().push(offer);
        }
        let puts = shards.into_iter().map(|(shard, offers)| async move { (self.put(shard, &offers).await, offers) });
        let mut failed = None;
        for (put, offers) in join_all(puts).await {
            if let Err(error) = put {
                let failed = failed.get_or_insert_with(|| NotOffered { left: Vec::new(), cause: error.into() });
                failed.left.extend(offers.into_iter().cloned());
            }
        }
        failed.map_or(Ok(()), Err)
    }

    async fn put(&self, shard: u16, offers: &[&Offer]) -> RedisResult<()> {
        let mut pipeline = redis::pipe();
        for offer in offers {
            pipeline
                .cmd("XADD")
                .arg(self.lane_key(&offer.lane, "jobs"))
                .arg("MAXLEN")
                .arg("~")
                .arg(LONGEST)
                .arg("*")
                .arg(FIELD)
                .arg(offer.job.uuid().as_simple().to_string())
                .ignore();
        }
        pipeline.query_async(&mut self.connections.route_to(shard)).await
    }

    /// Acknowledges and removes entries, so that a stream contains only unfinished work. If this fails, another worker
    /// reads the entries again and finds their jobs done.
    pub async fn acknowledge(&self, lane: &Lane, entries: &[String]) -> Result<(), QueueError> {
        if entries.is_empty() {
            return Ok(());
        }
        let key = self.lane_key(lane, "jobs");
        let mut pipeline = redis::pipe();
        pipeline.xack(&key, GROUP, entries).ignore().xdel(&key, entries).ignore();
        Ok(pipeline.query_async(&mut self.route_to(&key)).await?)
    }

    /// Takes over entries that another worker read at least `idle` ago and never acknowledged, because it died or could
    /// not reach Redis. Creates the consumer group again if Redis lost the group.
    pub async fn take_over(
        &self,
        lane: &Lane,
        worker: &str,
        idle: Duration,
        count: usize,
    ) -> Result<Vec<Ring>, QueueError> {
        let key = self.lane_key(lane, "jobs");
        let millis = usize::try_from(idle.as_millis()).unwrap_or(usize::MAX);
        let options = redis::streams::StreamAutoClaimOptions::default().count(count);
        let reply: Result<StreamAutoClaimReply, _> =
            self.route_to(&key).xautoclaim_options(&key, GROUP, worker, millis, "0-0", options).await;
        match reply {
            Ok(reply) => Ok(reply.claimed.into_iter().map(ring).collect()),
            Err(error) if no_group(&error) => {
                self.create_group(lane).await?;
                Ok(Vec::new())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the oldest entry of a lane; `None` if the stream is empty. An entry stays in the stream until its job is
    /// done. So if an unfinished job was offered before the oldest entry was added, the entry of this job was lost.
    pub async fn oldest(&self, lane: &Lane) -> Result<Option<OldestEntry>, QueueError> {
        let key = self.lane_key(lane, "jobs");
        let mut pipeline = redis::pipe();
        pipeline.xrange_count(&key, "-", "+", 1).cmd("TIME");
        let (oldest, (seconds, micros)): (redis::streams::StreamRangeReply, (u64, u64)) =
            pipeline.query_async(&mut self.route_to(&key)).await?;
        let now = seconds * 1_000 + micros / 1_000;
        Ok(oldest.ids.into_iter().next().map(|StreamId { id: entry, .. }| {
            let added = entry.split('-').next().and_then(|millis| millis.parse::<u64>().ok());
            let age = Duration::from_millis(now.saturating_sub(added.unwrap_or(now)));
            OldestEntry { entry, age }
        }))
    }

    /// Returns how many entries the stream of a lane has, including those that a worker has read and not acknowledged.
    pub async fn depth(&self, lane: &Lane) -> Result<u64, QueueError> {
        let key = self.lane_key(lane, "jobs");
        Ok(self.route_to(&key).xlen(&key).await?)
    }

    /// Creates a reader of one lane. The reader opens a separate connection.
    #[must_use]
    pub fn reader(&self, lane: Lane, worker: &str) -> Reader {
        Reader {
            queue: self.clone(),
            key: self.lane_key(&lane, "jobs"),
            lane,
            worker: worker.to_owned(),
            connection: None,
        }
    }

    /// Removes the readers of dead processes from a lane: readers that were idle for at least `idle` and have no
    /// unacknowledged entries. Returns how many readers were removed.
    pub async fn forget_readers(&self, lane: &Lane, idle: Duration) -> Result<usize, QueueError> {
        self.remove_readers(lane, ALL_READERS, idle).await
    }

    async fn remove_readers(&self, lane: &Lane, worker: &str, idle: Duration) -> Result<usize, QueueError> {
        let key = self.lane_key(lane, "jobs");
        let script = Script::new(REMOVE_READERS);
        let mut call = script.key(&key);
        call.arg(GROUP).arg(worker).arg(u64::try_from(idle.as_millis()).unwrap_or(u64::MAX));
        Ok(call.invoke_async(&mut self.route_to(&key)).await?)
    }

    async fn create_group(&self, lane: &Lane) -> Result<(), QueueError> {
        let key = self.lane_key(lane, "jobs");
        let created: Result<(), _> = self.route_to(&key).xgroup_create_mkstream(&key, GROUP, "0").await;
        match created {
            Err(error) if error.code() != Some("BUSYGROUP") => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// Reads the entries of one lane, as one consumer of the group.
pub struct Reader {
    queue: Queue,
    lane: Lane,
    key: String,
    worker: String,
    connection: Option<MultiplexedConnection>,
}

impl Reader {
    /// Waits up to `wait` for at most `count` entries. After an error the next read opens another connection.
    pub async fn read(&mut self, count: usize, wait: Duration) -> Result<Vec<Ring>, QueueError> {
        let read = self.try_read(count, wait).await;
        match read {
            Err(QueueError(error)) if no_group(&error) => {
                self.queue.create_group(&self.lane).await?;
                Ok(Vec::new())
            }
            Err(error) => {
                self.connection = None;
                Err(error)
            }
            rings => rings,
        }
    }

    async fn try_read(&mut self, count: usize, wait: Duration) -> Result<Vec<Ring>, QueueError> {
        let route = self.queue.route_to(&self.key);
        let connection = match &mut self.connection {
            Some(connection) => connection,
            // The time-out must be longer than the blocking read. Otherwise the entries of a late answer would be lost.
            none => none.insert(route.connect(wait + ANSWER_WITHIN).await?),
        };
        let wait = usize::try_from(wait.as_millis()).unwrap_or(usize::MAX);
        let options = StreamReadOptions::default().group(GROUP, &self.worker).count(count).block(wait);
        let reply: RedisResult<Option<StreamReadReply>> =
            connection.xread_options(&[&self.key], &[">"], &options).await;
        route.record_outcome(&reply);
        Ok(reply?.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids).map(ring).collect())
    }

    /// Removes this reader from the consumer group, so that stopped readers do not pile up in Redis. If the reader has
    /// unacknowledged entries, it stays in the group until other readers have taken these entries over. Otherwise Redis
    /// would never deliver them again, and the sweeper would count them as work in progress.
    pub async fn leave(self) {
        if let Err(error) = self.queue.remove_readers(&self.lane, &self.worker, Duration::ZERO).await {
            tracing::debug!(%error, lane = %self.lane, "the name of a reader could not be removed");
        }
    }
}

fn ring(entry: StreamId) -> Ring {
    let text = entry.map.get(FIELD).and_then(|value| String::from_redis_value_ref(value).ok());
    let job = text.and_then(|text| Uuid::try_parse(&text).ok()).map(JobId::from_uuid);
    Ring { entry: entry.id, job }
}

fn no_group(error: &redis::RedisError) -> bool {
    error.code() == Some("NOGROUP")
}
