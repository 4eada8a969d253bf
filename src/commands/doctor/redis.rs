//! Redis: whether it is there, is new enough, takes writes, never drops what it holds, and has memory left.

use chrono::DateTime;
use songda::queue::condition::Condition;

use super::finding::Finding;
use super::{Patient, clocks, words};

pub const GROUP: &str = "redis";
const OLDEST: u32 = 7;

pub async fn look(patient: &Patient) -> Vec<Finding> {
    let Some(queue) = &patient.queue else { return Vec::new() };
    let asked = patient.clock.now();
    let server = match queue.condition().await {
        Ok(server) => server,
        Err(error) => {
            let what = format!("no answer: {}", words(&error));
            let advice = "start it, or mend SONGDA_REDIS_URL; decisions are taken meanwhile, and their work waits";
            return vec![Finding::fault(GROUP, "server", what, advice)];
        }
    };
    let theirs = DateTime::from_timestamp_micros(server.micros).unwrap_or_default();
    let clock = clocks::compare(GROUP, asked, theirs, patient.clock.now());
    vec![of_version(&server), of_eviction(&server), of_memory(&server), of_persistence(&server), clock]
}

fn of_version(server: &Condition) -> Finding {
    let what = format!("Redis {} answers", server.version);
    if server.role != "master" {
        let what = format!("{what}, and is a replica that takes no writes");
        return Finding::fault(GROUP, "server", what, "point SONGDA_REDIS_URL at the primary");
    }
    let major = server.version.split('.').next().and_then(|major| major.parse().ok());
    if major.is_some_and(|major: u32| major < OLDEST) {
        return Finding::fault(GROUP, "server", what, format!("use Redis {OLDEST} or newer"));
    }
    Finding::ok(GROUP, "server", what)
}

/// Work whose ring was dropped is late by up to a minute, every time.
fn of_eviction(server: &Condition) -> Finding {
    let advice = "config set maxmemory-policy noeviction, and write it into redis.conf";
    match server.eviction.as_str() {
        "noeviction" if server.evicted > 0 => {
            let what = format!("nothing is dropped now, but {} keys were since its start", server.evicted);
            Finding::warning(GROUP, "eviction", what, "give it more memory if its policy was changed lately")
        }
        "noeviction" => Finding::ok(GROUP, "eviction", "a full memory refuses, and drops nothing"),
        policy => {
            let what =
                format!("maxmemory-policy is {policy}: a full memory drops streams in silence, and work is late");
            Finding::fault(GROUP, "eviction", what, advice)
        }
    }
}

fn of_memory(server: &Condition) -> Finding {
    let bound = if server.memory_limit == 0 { server.machine_memory } else { server.memory_limit };
    let of_what = if server.memory_limit == 0 { "of the machine's (no maxmemory)" } else { "of maxmemory" };
    let percent = server.memory.saturating_mul(100).checked_div(bound).unwrap_or(0);
    let what = format!("{} MB used, {percent} % {of_what}", server.memory >> 20);
    let advice = "raise maxmemory, or see with `songda top` what waits; a full Redis refuses offers, and work is late";
    match percent {
        0..75 => Finding::ok(GROUP, "memory", what),
        75..90 => Finding::warning(GROUP, "memory", what, advice),
        _ => Finding::fault(GROUP, "memory", what, advice),
    }
}

/// Redis may be lost without losing work. What it keeps spares a sweep of everything after its restart.
fn of_persistence(server: &Condition) -> Finding {
    const CHECK: &str = "persistence";
    if !server.writes_well {
        let what = "its last write to disk failed; it may refuse writes";
        return Finding::fault(GROUP, CHECK, what, "see its log, and whether its disk is full");
    }
    if !server.append_only {
        let what = "appendonly is no: after a restart all that waits is swept in anew";
        return Finding::warning(GROUP, CHECK, what, "config set appendonly yes, and write it into redis.conf");
    }
    match server.fsync.as_deref() {
        Some("everysec") => Finding::ok(GROUP, CHECK, "appendonly, on disk every second"),
        None => Finding::ok(GROUP, CHECK, "appendonly; how often it reaches the disk is not told"),
        Some(other) => {
            let what = format!("appendonly, with appendfsync {other}");
            let advice = "everysec is enough, and quicker than always; with no, the machine decides";
            Finding::warning(GROUP, CHECK, what, advice)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Condition {
        Condition {
            version: "7.2.4".to_owned(),
            role: "master".to_owned(),
            eviction: "noeviction".to_owned(),
            evicted: 0,
            memory_limit: 1_000 << 20,
            memory: 100 << 20,
            machine_memory: 8_000 << 20,
            append_only: true,
            writes_well: true,
            fsync: Some("everysec".to_owned()),
            micros: 0,
        }
    }

    fn states(server: &Condition) -> [String; 4] {
        [of_version(server), of_eviction(server), of_memory(server), of_persistence(server)]
            .map(|finding| serde_json::to_value(finding).unwrap()["state"].as_str().unwrap().to_owned())
    }

    #[test]
    fn each_weakness_is_found_by_itself() {
        assert_eq!(states(&server()), ["ok", "ok", "ok", "ok"]);
        let old = Condition { version: "6.2.1".to_owned(), ..server() };
        assert_eq!(states(&old), ["fault", "ok", "ok", "ok"]);
        let replica = Condition { role: "slave".to_owned(), ..server() };
        assert_eq!(states(&replica), ["fault", "ok", "ok", "ok"]);
        let drops = Condition { eviction: "allkeys-lru".to_owned(), ..server() };
        assert_eq!(states(&drops), ["ok", "fault", "ok", "ok"]);
        let tight = Condition { memory: 800 << 20, ..server() };
        assert_eq!(states(&tight), ["ok", "ok", "warning", "ok"]);
        let full = Condition { memory: 900 << 20, ..server() };
        assert_eq!(states(&full), ["ok", "ok", "fault", "ok"]);
        let unbounded = Condition { memory_limit: 0, machine_memory: 0, ..server() };
        assert_eq!(states(&unbounded), ["ok", "ok", "ok", "ok"]);
        let forgets = Condition { append_only: false, ..server() };
        assert_eq!(states(&forgets), ["ok", "ok", "ok", "warning"]);
        let stuck = Condition { writes_well: false, ..server() };
        assert_eq!(states(&stuck), ["ok", "ok", "ok", "fault"]);
    }
}
