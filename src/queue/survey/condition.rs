//! What a server says about itself: for the operator who asks whether all is well.

use std::collections::BTreeMap;

use redis::RedisResult;

use crate::queue::ANSWER_WITHIN;
use crate::queue::connection::endpoint::Place;

/// A server's settings and state. What it does not tell is empty or zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// `7.2.4`; of Valkey, the Redis that it is compatible with.
    pub version: String,
    /// `master`, or something that takes no writes.
    pub role: String,
    /// Whether it is a primary, or in step with its own.
    pub in_step: bool,
    /// What it does when its memory is full.
    pub eviction: String,
    /// How many keys it dropped to make room.
    pub evicted: u64,
    /// How many bytes it may use; 0 for all there are.
    pub memory_limit: u64,
    /// How many it uses.
    pub memory: u64,
    /// How many the machine has.
    pub machine_memory: u64,
    /// Whether it writes a log of changes to disk.
    pub append_only: bool,
    /// Whether its last writes to disk went well.
    pub writes_well: bool,
    /// How often the log reaches the disk: `always`, `everysec` or `no`; `None` where we may not ask.
    pub fsync: Option<String>,
    /// Its clock: microseconds since 1970.
    pub micros: i64,
}

/// Asks the server at a place about itself, over a connection of its own.
pub(in crate::queue) async fn at(place: &Place) -> RedisResult<Condition> {
    let mut connection = place.connect(ANSWER_WITHIN).await?;
    let info: String = redis::cmd("INFO").query_async(&mut connection).await?;
    // Not every provider lets us ask.
    let fsync: RedisResult<Vec<String>> =
        redis::cmd("CONFIG").arg("GET").arg("appendfsync").query_async(&mut connection).await;
    let (seconds, micros): (i64, i64) = redis::cmd("TIME").query_async(&mut connection).await?;
    let fsync = fsync.ok().and_then(|pair| pair.into_iter().nth(1));
    Ok(Condition { fsync, micros: seconds * 1_000_000 + micros, ..read(&info) })
}

/// Reads an answer to `INFO`: lines of `name:value`.
fn read(info: &str) -> Condition {
    let said: BTreeMap<&str, &str> = info.lines().filter_map(|line| line.split_once(':')).collect();
    let text = |name: &str| said.get(name).map_or_else(String::new, |value| value.trim().to_owned());
    let number = |name: &str| text(name).parse().unwrap_or(0);
    let ok = |name: &str| matches!(text(name).as_str(), "" | "ok");
    Condition {
        version: text("redis_version"),
        role: text("role"),
        in_step: matches!(text("master_link_status").as_str(), "" | "up"),
        eviction: text("maxmemory_policy"),
        evicted: number("evicted_keys"),
        memory_limit: number("maxmemory"),
        memory: number("used_memory"),
        machine_memory: number("total_system_memory"),
        append_only: text("aof_enabled") == "1",
        writes_well: ok("aof_last_write_status") && ok("aof_last_bgrewrite_status") && ok("rdb_last_bgsave_status"),
        fsync: None,
        micros: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_redis_says_is_read() {
        let info = "# Server\r\nredis_version:7.2.4\r\n# Memory\r\nused_memory:1024\r\nmaxmemory:2048\r\n\
                    maxmemory_policy:allkeys-lru\r\n# Persistence\r\naof_enabled:1\r\naof_last_write_status:err\r\n\
                    # Stats\r\nevicted_keys:3\r\n# Replication\r\nrole:slave\r\nmaster_link_status:down\r\n";
        let read = read(info);
        assert_eq!(
            (read.version.as_str(), read.role.as_str(), read.eviction.as_str()),
            ("7.2.4", "slave", "allkeys-lru")
        );
        assert_eq!((read.memory, read.memory_limit, read.evicted), (1024, 2048, 3));
        assert!(read.append_only && !read.writes_well && !read.in_step);
        assert_eq!(super::read("").memory, 0);
    }
}
