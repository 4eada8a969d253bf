//! One stream a lane carries the ids of jobs that are due. An entry is only a ring of the bell: whether its job still
//! needs doing is for PostgreSQL to say.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use redis::aio::MultiplexedConnection;
use redis::streams::{StreamAutoClaimReply, StreamId, StreamReadOptions, StreamReadReply};
use redis::{AsyncCommands, FromRedisValue, RedisResult, Script};
use uuid::Uuid;

use super::{ANSWER_WITHIN, Queue, QueueError};
use crate::domain::kernel::ids::JobId;
use crate::domain::work::job::{Lane, Offer};

const GROUP: &str = "workers";
const FIELD: &str = "job";
/// A bound on memory, far above any backlog that is still useful: what is cut off is swept in again.
const LONGEST: usize = 1_000_000;

/// Stands for every reader, in [`STRIKE_OFF`].
const ANYBODY: &str = "*";
/// Strikes readers off that hold nothing and have been idle for so long: one, or all.
const STRIKE_OFF: &str = r"
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

/// An entry of a stream: a job, and the entry's own id, by which it is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    pub entry: String,
    /// The job that it names; `None` when it is not readable, and only to be acknowledged.
    pub job: Option<JobId>,
}

/// Jobs that could not be put on their streams; others were.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub struct NotOffered {
    pub left: Vec<Offer>,
    #[source]
    cause: QueueError,
}

/// The oldest entry of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oldest {
    pub entry: String,
    /// How long ago it was added, by Redis's own clock.
    pub age: Duration,
}

impl Queue {
    /// Puts jobs on the streams of their lanes, in one round trip to whichever server holds them.
    ///
    /// # Errors
    /// When Redis, or a part of it, is unavailable; then these jobs are to be offered again, or the sweeper will do it.
    pub async fn offer(&self, offers: &[Offer]) -> Result<(), NotOffered> {
        let mut shards: BTreeMap<u16, Vec<&Offer>> = BTreeMap::new();
        for offer in offers {
            shards.entry(self.lines.shard(&self.lane_key(&offer.lane, "jobs"))).or_default().push(offer);
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
        pipeline.query_async(&mut self.lines.way_to(shard)).await
    }

    /// Acknowledges entries and removes them, so that what a stream holds is what is not finished.
    ///
    /// # Errors
    /// When Redis is unavailable; then they are read again, and found to be done.
    pub async fn acknowledge(&self, lane: &Lane, entries: &[String]) -> Result<(), QueueError> {
        if entries.is_empty() {
            return Ok(());
        }
        let key = self.lane_key(lane, "jobs");
        let mut pipeline = redis::pipe();
        pipeline.xack(&key, GROUP, entries).ignore().xdel(&key, entries).ignore();
        Ok(pipeline.query_async(&mut self.way_to(&key)).await?)
    }

    /// Takes over entries that were read long ago and never acknowledged: their reader is gone, or their job was put
    /// back. Also sets up the group anew where it vanished.
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
            self.way_to(&key).xautoclaim_options(&key, GROUP, worker, millis, "0-0", options).await;
        match reply {
            Ok(reply) => Ok(reply.claimed.into_iter().map(ring).collect()),
            Err(error) if no_group(&error) => {
                self.create_group(lane).await?;
                Ok(Vec::new())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The oldest entry of a lane; `None` when the lane is empty. A job that was offered before the oldest entry and is not
    /// done has lost its entry.
    pub async fn oldest(&self, lane: &Lane) -> Result<Option<Oldest>, QueueError> {
        let key = self.lane_key(lane, "jobs");
        let mut pipeline = redis::pipe();
        pipeline.xrange_count(&key, "-", "+", 1).cmd("TIME");
        let (oldest, (seconds, micros)): (redis::streams::StreamRangeReply, (u64, u64)) =
            pipeline.query_async(&mut self.way_to(&key)).await?;
        let now = seconds * 1_000 + micros / 1_000;
        Ok(oldest.ids.into_iter().next().map(|StreamId { id: entry, .. }| {
            let added = entry.split('-').next().and_then(|millis| millis.parse::<u64>().ok());
            let age = Duration::from_millis(now.saturating_sub(added.unwrap_or(now)));
            Oldest { entry, age }
        }))
    }

    /// How many entries a lane holds: rings that are waiting or being answered.
    pub async fn depth(&self, lane: &Lane) -> Result<u64, QueueError> {
        let key = self.lane_key(lane, "jobs");
        Ok(self.way_to(&key).xlen(&key).await?)
    }

    /// A reader of one lane, with a connection of its own: a blocking read would hold up everybody on a shared one.
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

    /// Forgets the readers of a lane that have not asked for anything for so long, and hold nothing: those of processes
    /// that died.
    pub async fn forget_readers(&self, lane: &Lane, idle: Duration) -> Result<usize, QueueError> {
        self.strike_off(lane, ANYBODY, idle).await
    }

    async fn strike_off(&self, lane: &Lane, worker: &str, idle: Duration) -> Result<usize, QueueError> {
        let key = self.lane_key(lane, "jobs");
        let script = Script::new(STRIKE_OFF);
        let mut call = script.key(&key);
        call.arg(GROUP).arg(worker).arg(u64::try_from(idle.as_millis()).unwrap_or(u64::MAX));
        Ok(call.invoke_async(&mut self.way_to(&key)).await?)
    }

    async fn create_group(&self, lane: &Lane) -> Result<(), QueueError> {
        let key = self.lane_key(lane, "jobs");
        let made: Result<(), _> = self.way_to(&key).xgroup_create_mkstream(&key, GROUP, "0").await;
        match made {
            Err(error) if error.code() != Some("BUSYGROUP") => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// Reads the entries of one lane.
pub struct Reader {
    queue: Queue,
    lane: Lane,
    key: String,
    worker: String,
    connection: Option<MultiplexedConnection>,
}

impl Reader {
    /// Waits up to `wait` for at most `count` entries. After an error the next read connects anew.
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
        let way = self.queue.way_to(&self.key);
        let connection = match &mut self.connection {
            Some(connection) => connection,
            // Less patience would give up on a blocking read, and lose what it read.
            none => none.insert(way.connect(wait + ANSWER_WITHIN).await?),
        };
        let wait = usize::try_from(wait.as_millis()).unwrap_or(usize::MAX);
        let options = StreamReadOptions::default().group(GROUP, &self.worker).count(count).block(wait);
        let reply: RedisResult<Option<StreamReadReply>> =
            connection.xread_options(&[&self.key], &[">"], &options).await;
        way.learn_of(&reply);
        Ok(reply?.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids).map(ring).collect())
    }

    /// Tells Redis that this reader will not come back, so that its name does not pile up. Where it holds rings that
    /// nobody answered, its name stays until others took them over: with the name the rings would be gone, and their
    /// entries would stand on the stream as if somebody were at work on them.
    pub async fn leave(self) {
        if let Err(error) = self.queue.strike_off(&self.lane, &self.worker, Duration::ZERO).await {
            tracing::debug!(%error, lane = %self.lane, "could not take leave of Redis");
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
