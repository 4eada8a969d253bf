//! One server of Redis: whether it is there, is new enough, is what it is there for, never drops what it holds, and has
//! memory left. A replica is looked at as its primary is: it may be the primary tomorrow.

use chrono::DateTime;
use songda::domain::kernel::clock::Instant;
use songda::queue::survey::Member;
use songda::queue::survey::condition::Condition;

use super::super::causes::with_causes;
use super::super::clocks;
use super::super::finding::Finding;

/// The heading of all findings about Redis.
pub const GROUP: &str = "redis";

const OLDEST: u32 = 7;

/// The only server. Its clock was read between these two moments.
pub fn alone(server: &Condition, between: (Instant, Instant)) -> Vec<Finding> {
    let role = of_role(server, "point SONGDA_REDIS_URL at the primary");
    [vec![role.unwrap_or_else(|| of_version(server))], of_state(server, between)].concat()
}

/// A server that is not alone.
pub fn member(member: &Member, between: (Instant, Instant)) -> Vec<Finding> {
    let findings = match (&member.condition, &member.copies) {
        (Ok(server), None) => {
            let role = of_role(server, "if it stays so, see what its logs and the others' say");
            [vec![role.unwrap_or_else(|| of_version(server))], of_state(server, between)].concat()
        }
        (Ok(server), Some(_)) => [vec![of_step(server)], of_state(server, between)].concat(),
        (Err(error), None) => {
            let what = format!("no answer: {}", with_causes(error));
            vec![Finding::fault(GROUP, "server", what, "start it, or let another one take over")]
        }
        (Err(error), Some(primary)) => {
            let what = format!("no answer from a replica of {primary}: {}", with_causes(error));
            vec![Finding::warning(GROUP, "server", what, "start it: as long as it is away, it cannot take over")]
        }
    };
    findings.into_iter().map(|finding| finding.at(&member.place)).collect()
}

fn of_state(server: &Condition, (asked, answered): (Instant, Instant)) -> Vec<Finding> {
    let theirs = DateTime::from_timestamp_micros(server.micros).unwrap_or_default();
    let clock = clocks::compare(GROUP, asked, theirs, answered);
    vec![of_eviction(server), of_memory(server), of_persistence(server), clock]
}

/// What is wrong where writes are taken.
fn of_role(server: &Condition, advice: &str) -> Option<Finding> {
    let what = format!("Redis {} answers, and is a replica that takes no writes", server.version);
    (server.role != "master").then(|| Finding::fault(GROUP, "server", what, advice))
}

fn of_step(server: &Condition) -> Finding {
    if server.in_step {
        return of_version(server);
    }
    let what = format!("Redis {} answers, and is a replica that has lost its primary", server.version);
    Finding::warning(GROUP, "server", what, "see its log: as long as it is out of step, it cannot take over")
}

fn of_version(server: &Condition) -> Finding {
    let what = format!("Redis {} answers{}", server.version, if server.role == "slave" { ", a replica" } else { "" });
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
            in_step: true,
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
        let first = of_role(server, "").unwrap_or_else(|| of_version(server));
        [first, of_eviction(server), of_memory(server), of_persistence(server)]
            .map(|finding| serde_json::to_value(finding).unwrap()["state"].as_str().unwrap().to_owned())
    }

    #[test]
    fn each_weakness_is_found_by_itself() {
        assert_eq!(states(&server()), ["ok", "ok", "ok", "ok"]);
        let old = Condition { version: "6.2.1".to_owned(), ..server() };
        assert_eq!(states(&old), ["fault", "ok", "ok", "ok"]);
        let replica = Condition { role: "slave".to_owned(), ..server() };
        assert_eq!(states(&replica), ["fault", "ok", "ok", "ok"]);
        let lost = Condition { in_step: false, ..replica.clone() };
        for (server, state) in [(&replica, "ok"), (&lost, "warning")] {
            assert_eq!(serde_json::to_value(of_step(server)).unwrap()["state"], state);
        }
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
