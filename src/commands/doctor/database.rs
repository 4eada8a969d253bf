//! Checks PostgreSQL: connection, version, schema, durability and free connections.

use songda::store::MIGRATOR;
use songda::store::condition::{self, Condition, Schema};

use super::causes::with_causes;
use super::clocks;
use super::finding::Finding;
use super::installation::Installation;

pub const GROUP: &str = "database";
/// The oldest supported major version.
const OLDEST: i32 = 15;

pub async fn look(installation: &Installation) -> Vec<Finding> {
    let Some(database) = &installation.database else { return Vec::new() };
    let advice = "start it, or check SONGDA_DATABASE_URL, the network and the permissions of its user";
    let unreachable =
        |error| vec![Finding::fault(GROUP, "server", format!("no answer: {}", with_causes(&error)), advice)];
    let mut connection = match condition::connect(database.url.expose()).await {
        Ok(connection) => connection,
        Err(error) => return unreachable(error),
    };
    let asked = installation.clock.now();
    let server = match condition::ask(&mut connection).await {
        Ok(server) => server,
        Err(error) => return unreachable(error),
    };
    let clock = clocks::compare(GROUP, asked, server.now, installation.clock.now());
    let schema = match condition::schema(&mut connection, &MIGRATOR).await {
        Ok(schema) => of_schema(&schema),
        Err(error) => Finding::fault(GROUP, "schema", with_causes(&error), advice),
    };
    let mut findings = vec![of_version(&server), schema];
    findings.extend(of_durability(&server));
    findings.extend([of_connections(&server, database.connections.saturating_add(1)), clock]);
    findings
}

fn of_version(server: &Condition) -> Finding {
    let major = server.version / 10_000;
    let minor = server.version % 10_000;
    let what = format!("PostgreSQL {major}.{minor} answers");
    if server.read_only {
        let what = format!("{what}, but is read-only");
        return Finding::fault(GROUP, "server", what, "point SONGDA_DATABASE_URL at the primary, or promote this one");
    }
    if major < OLDEST {
        return Finding::fault(GROUP, "server", what, format!("use PostgreSQL {OLDEST} or newer"));
    }
    Finding::ok(GROUP, "server", what)
}

fn of_schema(schema: &Schema) -> Finding {
    let list = |numbers: &[i64]| numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    if !schema.broken.is_empty() {
        let what = format!("migrations {} differ from those of this program, or did not finish", list(&schema.broken));
        let advice = "run the release that migrated this database, or restore the backup from before the migration";
        return Finding::fault(GROUP, "schema", what, advice);
    }
    if !schema.missing.is_empty() {
        let what = format!("migrations {} are missing", list(&schema.missing));
        return Finding::fault(GROUP, "schema", what, "songda migrate");
    }
    if !schema.newer.is_empty() {
        let what = format!("a newer program applied migrations {}", list(&schema.newer));
        let advice = "this is normal while a release is rolled out; replace this program too";
        return Finding::warning(GROUP, "schema", what, advice);
    }
    Finding::ok(GROUP, "schema", "all migrations are applied")
}

/// Checks the durability: a decision that was confirmed to the caller must survive a crash of the server and of its
/// machine.
fn of_durability(server: &Condition) -> Vec<Finding> {
    let mut findings = Vec::new();
    if server.synchronous_commit == "off" {
        let what = "synchronous_commit is off: a crash loses decisions that were already confirmed";
        let advice = "alter system set synchronous_commit = on, then reload";
        findings.push(Finding::fault(GROUP, "durability", what, advice));
    }
    if !server.fsync {
        let what = "fsync is off: a power cut may destroy the database";
        findings.push(Finding::fault(GROUP, "durability", what, "alter system set fsync = on, then reload"));
    }
    if !server.full_page_writes {
        let what = "full_page_writes is off: a crash may leave half-written pages";
        let advice = "alter system set full_page_writes = on, unless the file system writes pages atomically";
        findings.push(Finding::warning(GROUP, "durability", what, advice));
    }
    if findings.is_empty() {
        let what =
            format!("a commit is on disk before it is confirmed (synchronous_commit {})", server.synchronous_commit);
        findings.push(Finding::ok(GROUP, "durability", what));
    }
    if !server.autovacuum {
        let what = "autovacuum is off: jobs change often, so their table grows without limit";
        findings.push(Finding::warning(GROUP, "autovacuum", what, "alter system set autovacuum = on, then reload"));
    }
    findings
}

fn of_connections(server: &Condition, wanted: u32) -> Finding {
    let room = i64::from(server.connections);
    let wanted = i64::from(wanted).max(1);
    let what = format!(
        "the server allows {room} connections, {} are in use; a Songda process opens up to {wanted}, so {} fit",
        server.in_use,
        room / wanted
    );
    let advice = "raise max_connections, or lower SONGDA_DATABASE_CONNECTIONS; count every API and worker process";
    match room / wanted {
        0 => Finding::fault(GROUP, "connections", what, advice),
        1 => Finding::warning(GROUP, "connections", what, advice),
        _ if i64::from(server.in_use) * 10 > room * 9 => Finding::warning(GROUP, "connections", what, advice),
        _ => Finding::ok(GROUP, "connections", what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Condition {
        Condition {
            version: 170_002,
            read_only: false,
            synchronous_commit: "on".to_owned(),
            fsync: true,
            full_page_writes: true,
            autovacuum: true,
            connections: 97,
            in_use: 5,
            now: "2026-01-02T04:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn an_old_read_only_or_non_durable_server_is_a_fault() {
        assert_eq!(of_version(&server()).state_word(), "ok");
        assert_eq!(of_version(&Condition { version: 140_011, ..server() }).state_word(), "fault");
        assert_eq!(of_version(&Condition { read_only: true, ..server() }).state_word(), "fault");
        assert!(of_durability(&server()).iter().all(|finding| finding.state_word() == "ok"));
        let forgets = Condition { synchronous_commit: "off".to_owned(), fsync: false, ..server() };
        assert_eq!(of_durability(&forgets).iter().filter(|finding| finding.is_fault()).count(), 2);
    }

    #[test]
    fn the_connections_of_two_processes_must_fit() {
        for (wanted, expected) in [(24, "ok"), (48, "ok"), (49, "warning"), (98, "fault")] {
            assert_eq!(of_connections(&server(), wanted).state_word(), expected, "{wanted}");
        }
        assert_eq!(of_connections(&Condition { in_use: 90, ..server() }, 10).state_word(), "warning");
    }

    #[test]
    fn a_newer_schema_is_a_warning_and_a_different_one_is_a_fault() {
        let newer = Schema { newer: vec![10], ..Schema::default() };
        assert_eq!(of_schema(&newer).state_word(), "warning");
        assert_eq!(of_schema(&Schema { missing: vec![9], ..newer.clone() }).state_word(), "fault");
        assert_eq!(of_schema(&Schema { broken: vec![3], ..newer }).state_word(), "fault");
    }
}
