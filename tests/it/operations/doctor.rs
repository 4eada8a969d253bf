//! `songda doctor` on a healthy installation and on real faults: each fault is found with advice that helps, and no
//! fault hides another.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use sqlx::AssertSqlSafe;

use crate::support::arrivals::assert_arrived_once;
use crate::support::desk::Desk;
use crate::support::doctor::Report;
use crate::support::office::decide;
use crate::support::servers::Own;
use crate::support::wait::wait_until;

/// An address at which no server answers.
const NOWHERE: &str = "http://127.0.0.1:1";

#[tokio::test]
async fn a_healthy_installation_has_no_findings_and_the_report_no_secrets() {
    // This test does not use the shared PostgreSQL, which would lose data in a power cut: the doctor would report that.
    let own = Own::postgres("doctor").await;
    let builder =
        Desk::builder().on(&own.servers).settings(&[("SONGDA_ALLOW", "sandbox-secrets,any-origin,no-second-factor")]);
    let desk = builder.without_worker().open().await;
    let decided = decide(&desk, 2).await;
    let worker = desk.worker();
    assert_arrived_once(&desk, &decided).await;
    let is_seen = async || !desk.queue().live_workers().await.unwrap().is_empty();
    wait_until("the worker sends its heartbeat", is_seen).await;

    let report = Report::of(&desk, &[]).await;
    let unhealthy: Vec<&Value> = report.findings().filter(|finding| finding["state"] != "ok").collect();
    let rehearsed =
        |finding: &&Value| finding["group"] == "catalogue" && finding["what"].to_string().contains("made up");
    let accepted = |finding: &&Value| {
        ["sandbox-secrets", "any-origin", "no-second-factor"].map(Value::from).contains(&finding["check"])
            && finding["state"] == "warning"
    };
    // The sandbox has no networks of its own.
    let unsigned = |finding: &&Value| finding["check"] == "callbacks" && finding["state"] == "warning";
    let is_expected = |finding: &&Value| rehearsed(finding) || accepted(finding) || unsigned(finding);
    assert!(unhealthy.iter().all(is_expected), "{unhealthy:#?}");
    assert_eq!(report.states("gateways", "callbacks"), ["warning", "warning"], "SMS and SF: {}", report.text);
    assert!(unhealthy.iter().any(accepted), "an accepted risk is shown: {}", report.text);
    assert_eq!(report.exit, Some(0));
    for check in ["push.wechat", "push.sms_aliyun", "courier.ems", "courier.sf", "sign-in", "identity"] {
        assert_eq!(report.states("gateways", check), ["ok"], "{check}: {}", report.text);
    }
    assert_discreet(&desk, &report, &decided[0].phone);
    let phones = desk.outside().phones().await.unwrap();
    let parcels = desk.outside().parcels().await.unwrap();
    let messages: usize = phones.values().map(Vec::len).sum();
    assert_eq!((messages, parcels.len()), (2, 2), "the checks of the gateways send nothing");

    desk.close().await;
    drop(worker);
    own.close().await;
}

/// Asserts that the report contains neither a secret of the settings nor personal data.
fn assert_discreet(desk: &Desk, report: &Report, phone: &str) {
    let is_secret = |name: &str| {
        ["SECRET", "_KEY", "TOKEN", "WORD", "AUTHORIZATION", "_URL"].iter().any(|part| name.contains(part))
    };
    let secrets = desk.settings().iter().filter(|(name, value)| is_secret(name) && value.len() > 5);
    for word in secrets.map(|(_, value)| value.as_str()).chain([phone]) {
        assert!(!report.text.contains(word), "{word} in {}", report.text);
    }
}

#[tokio::test]
async fn wrong_settings_and_silent_gateways_are_found_together() {
    let desk = Desk::builder().without_worker().open().await;
    decide(&desk, 1).await;
    let other_keys = desk.folder.path_of("other-keys");
    desk.songda(&["keys", "init", &other_keys]).await;
    fs::set_permissions(format!("{other_keys}/key-ring"), fs::Permissions::from_mode(0o644)).unwrap();
    let no_folder = desk.folder.path_of("a-file");
    fs::write(&no_folder, "in the way").unwrap();

    let wrong = [
        ("SONGDA_KEYS", other_keys.as_str()),
        ("SONGDA_UPLOADS", no_folder.as_str()),
        ("SONGDA_DATABASE_CONNECTIONS", "100000"),
        ("SONGDA_EMS_URL", NOWHERE),
        ("SONGDA_WECHAT_SECRET", "guessed"),
        ("SONGDA_SMS_ALIYUN_SECRET", "guessed"),
        ("SONGDA_SF_CHECK_WORD", "guessed"),
        ("SONGDA_IDENTITY_SECRET", "guessed"),
        ("SONGDA_CODE_CHANNEL", "wechat"),
        ("SONGDA_PROXIES", "many"),
    ];
    let report = Report::of(&desk, &wrong).await;
    assert_eq!(report.exit, Some(1));
    report.assert_finds("settings", "settings", "fault", "songda settings");
    report.assert_finds("keys", "ring", "fault", "copy");
    report.assert_finds("keys", "rights", "warning", "chmod");
    report.assert_finds("uploads", "place", "fault", "SONGDA_UPLOADS");
    report.assert_finds("database", "connections", "fault", "max_connections");
    report.assert_finds("gateways", "courier.ems", "fault", "SONGDA_EMS_URL");
    report.assert_finds("gateways", "push.wechat", "fault", "SONGDA_WECHAT_");
    report.assert_finds("gateways", "sign-in", "fault", "SONGDA_WECHAT_");
    report.assert_finds("gateways", "push.sms_aliyun", "fault", "SONGDA_SMS_ALIYUN_");
    report.assert_finds("gateways", "courier.sf", "fault", "SONGDA_SF_");
    report.assert_finds("gateways", "identity", "fault", "SONGDA_IDENTITY_");
    report.assert_finds("gateways", "codes", "warning", "SONGDA_CODE_CHANNEL");
    assert!(!report.text.contains("guessed"), "no value is repeated: {}", report.text);
    assert_eq!(report.states("redis", "eviction"), ["ok"], "the other checks still run");
    close(desk).await;
}

/// Settings that are good for trying Songda are dangerous in use. A deployed program does not start with them.
#[tokio::test]
async fn settings_that_only_a_trial_may_have_are_faults() {
    let desk = Desk::builder().without_worker().open().await;
    let risky = [
        ("SONGDA_SF_URL", "http://sf.example"),
        ("SONGDA_SF_CHECK_WORD", "guessed"),
        ("SONGDA_CORS_ORIGINS", "*"),
        ("SONGDA_DATABASE_URL", "postgres://songda:guessed@db.invalid/songda"),
        ("SONGDA_REDIS_URL", "redis://redis.invalid"),
        ("SONGDA_EMS_CALLBACK_SECRET", "guessed"),
    ];
    let report = Report::of(&desk, &risky).await;
    assert_eq!(report.exit, Some(1));
    let risks = [
        "sandbox-secrets",
        "short-secrets",
        "http-gateways",
        "plain-postgres",
        "plain-redis",
        "any-origin",
        "no-second-factor",
    ];
    for risk in risks {
        report.assert_finds("settings", risk, "fault", "SONGDA_ALLOW");
    }
    let short = report.findings().filter(|finding| finding["check"] == "short-secrets").count();
    assert_eq!(short, 4, "the check word, both servers' passwords and the callback secret: {}", report.text);
    report.assert_finds("settings", "settings", "fault", "songda settings");
    assert!(!report.text.contains("guessed"), "no value is repeated: {}", report.text);

    let allowed = risks.join(",");
    let accepted = [&risky[..5], &[("SONGDA_ALLOW", &*allowed)]].concat();
    let report = Report::of(&desk, &accepted).await;
    for risk in risks {
        report.assert_finds("settings", risk, "warning", "SONGDA_ALLOW");
    }
    close(desk).await;
}

#[tokio::test]
async fn a_neglected_database_is_found() {
    let desk = Desk::builder().without_worker().open().await;
    decide(&desk, 3).await;
    let name: String = desk.scalar("select current_database()::text").await;
    let not_durable = format!("alter database {name} set synchronous_commit = off");
    sqlx::raw_sql(AssertSqlSafe(not_durable)).execute(&desk.database).await.unwrap();
    for neglect in [
        "delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)",
        "update catalogue_parts set content = '[]' where name = 'calendar'",
        "update jobs set state = 'dead', finished_at = now() where id = (select min(id::text)::uuid from jobs)",
        "update jobs set due_at = now() - interval '20 minutes' where state = 'pending'",
    ] {
        desk.execute(neglect).await;
    }

    let report = Report::of(&desk, &[]).await;
    report.assert_finds("database", "durability", "fault", "synchronous_commit");
    report.assert_finds("database", "schema", "fault", "songda migrate");
    report.assert_finds("catalogue", "this-year", "fault", "catalog/calendar.toml");
    report.assert_finds("catalogue", "due-dates", "fault", "catalog/calendar.toml");
    report.assert_finds("jobs", "age", "fault", "songda top");
    report.assert_finds("jobs", "workers", "fault", "songda work");
    let dead = report.findings().find(|finding| finding["check"].as_str().unwrap().starts_with("dead."));
    assert!(dead.is_some_and(|dead| dead["advice"].to_string().contains("songda jobs replay")), "{}", report.text);
    assert_eq!(report.states("keys", "ring"), ["ok"], "{}", report.text);

    let printed = String::from_utf8(desk.outcome(&["doctor"], &[]).await.stdout).unwrap();
    assert!(printed.contains("-> songda migrate"), "{printed}");
    close(desk).await;
}

#[tokio::test]
async fn a_redis_that_evicts_keys_or_stores_nothing_is_found() {
    let own = Own::redis("test-doctor").await;
    let desk = Desk::builder().on(&own.servers).without_worker().open().await;
    let mut connection = desk.redis().await;
    for (setting, value) in [("maxmemory", "1mb"), ("maxmemory-policy", "allkeys-lru"), ("appendonly", "no")] {
        let () = redis::cmd("CONFIG").arg("SET").arg(setting).arg(value).query_async(&mut connection).await.unwrap();
    }

    let report = Report::of(&desk, &[]).await;
    report.assert_finds("redis", "eviction", "fault", "noeviction");
    report.assert_finds("redis", "memory", "fault", "maxmemory");
    report.assert_finds("redis", "persistence", "warning", "appendonly yes");
    close(desk).await;
    own.close().await;
}

#[tokio::test]
async fn servers_that_are_away_hide_no_other_finding() {
    let desk = Desk::builder().without_worker().open().await;
    let away =
        [("SONGDA_DATABASE_URL", "postgres://songda@127.0.0.1:1/songda"), ("SONGDA_REDIS_URL", "redis://127.0.0.1:1")];
    let report = Report::of(&desk, &away).await;
    report.assert_finds("database", "server", "fault", "SONGDA_DATABASE_URL");
    report.assert_finds("redis", "server", "fault", "SONGDA_REDIS_URL");
    report.assert_finds("keys", "ring", "warning", "database");
    report.assert_finds("catalogue", "published", "fault", "database");
    report.assert_finds("jobs", "lanes", "fault", "database");
    assert_eq!(report.states("uploads", "place"), ["ok"]);
    assert_eq!(report.states("gateways", "courier.sf"), ["ok"]);
    close(desk).await;
}

async fn close(mut desk: Desk) {
    desk.leave_jobs();
    desk.close().await;
}
