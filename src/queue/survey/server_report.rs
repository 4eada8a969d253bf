//! The settings and state that one Redis server reports, for `songda doctor`.

use std::collections::BTreeMap;

use redis::RedisResult;

use crate::queue::connection::endpoint::Endpoint;
use crate::queue::connection::time_out::ANSWER_WITHIN;

/// The settings and state of one Redis server. A value that the server does not report is empty or zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerReport {
    /// For example `7.2.4`. Valkey reports the Redis version with which it is compatible.
    pub version: String,
    /// `master` for a server that takes writes; any other role takes none.
    pub role: String,
    /// True for a primary, and for a replica that is in sync with its primary.
    pub in_sync: bool,
    /// The setting `maxmemory-policy`: what the server does when its memory is full.
    pub eviction: String,
    /// How many keys the server dropped to free memory.
    pub evicted: u64,
    /// The setting `maxmemory` in bytes; 0 if unlimited.
    pub memory_limit: u64,
    /// The memory that the server uses, in bytes.
    pub memory: u64,
    /// The memory of the server's machine, in bytes.
    pub machine_memory: u64,
    /// True if the server writes an append-only file.
    pub append_only: bool,
    /// True unless one of the server's last writes to disk failed.
    pub writes_well: bool,
    /// How often the append-only file reaches the disk: `always`, `everysec` or `no`; `None` if `CONFIG` is forbidden.
    pub fsync: Option<String>,
    /// The server's clock, in microseconds since 1970.
    pub micros: i64,
}

/// Asks a server for its report, over a new connection.
pub(in crate::queue) async fn fetch(endpoint: &Endpoint) -> RedisResult<ServerReport> {
    let mut connection = endpoint.connect(ANSWER_WITHIN).await?;
    let info: String = redis::cmd("INFO").query_async(&mut connection).await?;
    // Some providers forbid `CONFIG`, so an error of this command is ignored.
    let fsync: RedisResult<Vec<String>> =
        redis::cmd("CONFIG").arg("GET").arg("appendfsync").query_async(&mut connection).await;
    let (seconds, micros): (i64, i64) = redis::cmd("TIME").query_async(&mut connection).await?;
    let fsync = fsync.ok().and_then(|pair| pair.into_iter().nth(1));
    Ok(ServerReport { fsync, micros: seconds * 1_000_000 + micros, ..read(&info) })
}

/// Parses Redis's answer to `INFO`, in which each line has the form `name:value`.
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
