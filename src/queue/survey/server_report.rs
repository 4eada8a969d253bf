//! What one server reports of itself, for `songda doctor`.

use std::collections::BTreeMap;

use redis::RedisResult;

use crate::queue::connection::endpoint::Endpoint;
use crate::queue::connection::time_out::ANSWER_WITHIN;

/// A server's settings and state. A value that it does not report is empty or zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerReport {
    /// Such as `7.2.4`. Valkey reports the Redis version that it is compatible with.
    pub version: String,
    /// `master`, or the role of a server that takes no writes.
    pub role: String,
    /// True of a primary, and of a replica in sync with its primary.
    pub in_sync: bool,
    /// What the server does when its memory is full.
    pub eviction: String,
    /// How many keys it dropped to free memory.
    pub evicted: u64,
    /// The most bytes that it may use; 0 if unlimited.
    pub memory_limit: u64,
    /// The bytes that it uses.
    pub memory: u64,
    /// The bytes of memory of its machine.
    pub machine_memory: u64,
    /// True if it writes an append-only file.
    pub append_only: bool,
    /// True if its last writes to disk succeeded.
    pub writes_well: bool,
    /// How often the append-only file reaches the disk: `always`, `everysec` or `no`; `None` if `CONFIG` is forbidden.
    pub fsync: Option<String>,
    /// Its clock: microseconds since 1970.
    pub micros: i64,
}

/// Asks a server for its report, over a connection of its own.
pub(in crate::queue) async fn fetch(endpoint: &Endpoint) -> RedisResult<ServerReport> {
    let mut connection = endpoint.connect(ANSWER_WITHIN).await?;
    let info: String = redis::cmd("INFO").query_async(&mut connection).await?;
    // Some providers forbid this command.
    let fsync: RedisResult<Vec<String>> =
        redis::cmd("CONFIG").arg("GET").arg("appendfsync").query_async(&mut connection).await;
    let (seconds, micros): (i64, i64) = redis::cmd("TIME").query_async(&mut connection).await?;
    let fsync = fsync.ok().and_then(|pair| pair.into_iter().nth(1));
    Ok(ServerReport { fsync, micros: seconds * 1_000_000 + micros, ..read(&info) })
}

/// Reads an answer to `INFO`: lines of `name:value`.
fn read(info: &str) -> ServerReport {
    let fields: BTreeMap<&str, &str> = info.lines().filter_map(|line| line.split_once(':')).collect();
    let text = |name: &str| fields.get(name).map_or_else(String::new, |value| value.trim().to_owned());
    let number = |name: &str| text(name).parse().unwrap_or(0);
    let ok = |name: &str| matches!(text(name).as_str(), "" | "ok");
    ServerReport {
        version: text("redis_version"),
        role: text("role"),
        in_sync: matches!(text("master_link_status").as_str(), "" | "up"),
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
    fn an_answer_to_info_is_read() {
        let info = "# Server\r\nredis_version:7.2.4\r\n# Memory\r\nused_memory:1024\r\nmaxmemory:2048\r\n\
                    maxmemory_policy:allkeys-lru\r\n# Persistence\r\naof_enabled:1\r\naof_last_write_status:err\r\n\
                    # Stats\r\nevicted_keys:3\r\n# Replication\r\nrole:slave\r\nmaster_link_status:down\r\n";
        let read = read(info);
        assert_eq!(
            (read.version.as_str(), read.role.as_str(), read.eviction.as_str()),
            ("7.2.4", "slave", "allkeys-lru")
        );
        assert_eq!((read.memory, read.memory_limit, read.evicted), (1024, 2048, 3));
        assert!(read.append_only && !read.writes_well && !read.in_sync);
        assert_eq!(super::read("").memory, 0);
    }
}
