//! Checks one Redis server: connection, version, role, eviction, memory, persistence and clock. A replica gets the same
//! checks as its primary, because it may become the primary.

use chrono::DateTime;
use songda::domain::kernel::clock::Instant;
use songda::queue::survey::Member;
use songda::queue::survey::server_report::ServerReport;

use super::super::causes::with_causes;
use super::super::clocks;
use super::super::finding::Finding;

pub const GROUP: &str = "redis";

/// The oldest major version of Redis that Songda supports.
const OLDEST: u32 = 7;

/// Checks a Redis that is a single server. `between` has two times by our clock: the server's clock was read between
/// them.
pub fn alone(server: &ServerReport, between: (Instant, Instant)) -> Vec<Finding> {
    let role = of_role(server, "point SONGDA_REDIS_URL at the primary");
    [vec![role.unwrap_or_else(|| of_version(server))], of_state(server, between)].concat()
}

/// Checks one server of a deployment with several servers: a primary or a replica that sentinels watch, or a node of a
/// cluster. `between` has two times by our clock: the server's clock was read between them.
pub fn member(member: &Member, between: (Instant, Instant)) -> Vec<Finding> {
    let findings = match (&member.report, &member.replica_of) {
        (Ok(server), None) => {
            let role = of_role(server, "if this persists, see its log and those of the other servers");
            [vec![role.unwrap_or_else(|| of_version(server))], of_state(server, between)].concat()
        }
        (Ok(server), Some(_)) => [vec![of_step(server)], of_state(server, between)].concat(),
        (Err(error), None) => {
            let what = format!("no answer: {}", with_causes(error));
            vec![Finding::fault(GROUP, "server", what, "start it, or let a replica take over")]
        }
        (Err(error), Some(primary)) => {
            let what = format!("no answer from a replica of {primary}: {}", with_causes(error));
            vec![Finding::warning(GROUP, "server", what, "start it: while it is down, it cannot take over")]
        }
    };
    findings.into_iter().map(|finding| finding.at(&member.node)).collect()
}

/// Checks the server's eviction, memory, persistence and clock.
fn of_state(server: &ServerReport, (asked, answered): (Instant, Instant)) -> Vec<Finding> {
    let theirs = DateTime::from_timestamp_micros(server.micros).unwrap_or_default();
    let clock = clocks::compare(GROUP, asked, theirs, answered);
    vec![of_eviction(server), of_memory(server), of_persistence(server), clock]
}

/// Returns a fault if the server is a replica although it must accept writes; `None` otherwise. `advice` tells the
/// operator what to do.
fn of_role(server: &ServerReport, advice: &str) -> Option<Finding> {
    let what = format!("Redis {} answers, but is a read-only replica", server.version);
    (server.role != "master").then(|| Finding::fault(GROUP, "server", what, advice))
}

/// Checks that a replica is in contact with its primary, and that its version is supported.
fn of_step(server: &ServerReport) -> Finding {
    if server.in_sync {
        return of_version(server);
    }
    let what = format!("Redis {} answers, but is a replica that has lost its primary", server.version);
    Finding::warning(GROUP, "server", what, "see its log: while it is out of sync, it cannot take over")
}

fn of_version(server: &ServerReport) -> Finding {
    let what = format!("Redis {} answers{}", server.version, if server.role == "slave" { ", a replica" } else { "" });
    let major = server.version.split('.').next().and_then(|major| major.parse().ok());
    if major.is_some_and(|major: u32| major < OLDEST) {
        return Finding::fault(GROUP, "server", what, format!("use Redis {OLDEST} or newer"));
    }
    Finding::ok(GROUP, "server", what)
}

/// Checks that Redis evicts no keys. A Redis that does could evict the stream of a lane, with the entries (rings) that
/// announce due jobs to workers. These jobs would then be up to a minute late.
fn of_eviction(server: &ServerReport) -> Finding {
    let advice = "config set maxmemory-policy noeviction, and add it to redis.conf";
    match server.eviction.as_str() {
        "noeviction" if server.evicted > 0 => {
            let what = format!("keys are no longer evicted, but {} were since its start", server.evicted);
            Finding::warning(GROUP, "eviction", what, "if its policy was changed recently, give it more memory")
        }
        "noeviction" => Finding::ok(GROUP, "eviction", "if its memory is full, it refuses writes and evicts nothing"),
        policy => {
            let what = format!("maxmemory-policy is {policy}: a full Redis evicts streams silently, and jobs are late");
            Finding::fault(GROUP, "eviction", what, advice)
        }
    }
}

fn of_memory(server: &ServerReport) -> Finding {
    let bound = if server.memory_limit == 0 { server.machine_memory } else { server.memory_limit };
    let of_what = if server.memory_limit == 0 { "of the machine's memory (no maxmemory)" } else { "of maxmemory" };
    let percent = server.memory.saturating_mul(100).checked_div(bound).unwrap_or(0);
    let what = format!("{} MB used, {percent} % {of_what}", server.memory >> 20);
    let advice =
        "raise maxmemory, or see the waiting jobs with `songda top`; a full Redis refuses offers, and jobs are late";
    match percent {
        0..75 => Finding::ok(GROUP, "memory", what),
        75..90 => Finding::warning(GROUP, "memory", what, advice),
        _ => Finding::fault(GROUP, "memory", what, advice),
    }
}

/// Checks if Redis stores its data on disk. If it does not, no job is lost, but after a restart the sweeper must offer
/// all waiting jobs to the workers again.
fn of_persistence(server: &ServerReport) -> Finding {
    const CHECK: &str = "persistence";
    if !server.writes_well {
        let what = "its last write to disk failed, so it may refuse writes";
        return Finding::fault(GROUP, CHECK, what, "see its log, and check if its disk is full");
    }
    if !server.append_only {
        let what = "appendonly is no: after a restart the sweeper must offer all waiting jobs again";
        return Finding::warning(GROUP, CHECK, what, "config set appendonly yes, and add it to redis.conf");
    }
    match server.fsync.as_deref() {
        Some("everysec") => Finding::ok(GROUP, CHECK, "appendonly, on disk every second"),
        None => Finding::ok(GROUP, CHECK, "appendonly; the server does not report how often it writes to disk"),
        Some(other) => {
            let what = format!("appendonly, with appendfsync {other}");
            let advice = "set everysec: it is enough, and faster than always; with no, the operating system decides";
            Finding::warning(GROUP, CHECK, what, advice)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> ServerReport {
        ServerReport {
            version: "7.2.4".to_owned(),
            role: "master".to_owned(),
            in_sync: true,
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

    fn states(server: &ServerReport) -> [&'static str; 4] {
        let first = of_role(server, "").unwrap_or_else(|| of_version(server));
        [first, of_eviction(server), of_memory(server), of_persistence(server)].map(|finding| finding.state_word())
    }

    #[test]
    fn each_weakness_is_found_separately() {
        assert_eq!(states(&server()), ["ok", "ok", "ok", "ok"]);
        let old = ServerReport { version: "6.2.1".to_owned(), ..server() };
        assert_eq!(states(&old), ["fault", "ok", "ok", "ok"]);
        let replica = ServerReport { role: "slave".to_owned(), ..server() };
        assert_eq!(states(&replica), ["fault", "ok", "ok", "ok"]);
        let lost = ServerReport { in_sync: false, ..replica.clone() };
        assert_eq!([of_step(&replica), of_step(&lost)].map(|finding| finding.state_word()), ["ok", "warning"]);
        let drops = ServerReport { eviction: "allkeys-lru".to_owned(), ..server() };
        assert_eq!(states(&drops), ["ok", "fault", "ok", "ok"]);
        let tight = ServerReport { memory: 800 << 20, ..server() };
        assert_eq!(states(&tight), ["ok", "ok", "warning", "ok"]);
        let full = ServerReport { memory: 900 << 20, ..server() };
        assert_eq!(states(&full), ["ok", "ok", "fault", "ok"]);
        let unbounded = ServerReport { memory_limit: 0, machine_memory: 0, ..server() };
        assert_eq!(states(&unbounded), ["ok", "ok", "ok", "ok"]);
        let forgets = ServerReport { append_only: false, ..server() };
        assert_eq!(states(&forgets), ["ok", "ok", "ok", "warning"]);
        let stuck = ServerReport { writes_well: false, ..server() };
        assert_eq!(states(&stuck), ["ok", "ok", "ok", "fault"]);
    }
}
