//! `songda doctor` on an installation that is well, and on faults that are really made: each is found, with the advice that
//! mends it, and none keeps the others from being found.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use sqlx::AssertSqlSafe;

use crate::support::desk::{Desk, wait_until};
use crate::support::office::{came_once, decide};
use crate::support::servers::Own;

/// Where nobody answers.
const NOWHERE: &str = "http://127.0.0.1:1";

/// What the doctor said.
pub struct Report {
    /// All of it.
    pub text: String,
    exit: Option<i32>,
    said: Value,
}

impl Report {
    /// Asks it, with some settings changed.
    pub async fn of(desk: &Desk, changed: &[(&str, &str)]) -> Self {
        let output = desk.outcome(&["doctor", "--json"], changed).await;
        let text = String::from_utf8(output.stdout).unwrap();
        let said = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)));
        let report = Self { exit: output.status.code(), said, text };
        assert_eq!(report.said["healthy"], report.exit == Some(0), "{}", report.text);
        report
    }

    fn findings(&self) -> impl Iterator<Item = &Value> {
        self.said["findings"].as_array().unwrap().iter()
    }

    /// How it finds one side of something, at each place where it looks.
    pub fn states(&self, group: &str, check: &str) -> Vec<&str> {
        let of = self.findings().filter(|finding| finding["group"] == group && finding["check"] == check);
        of.map(|finding| finding["state"].as_str().unwrap()).collect()
    }

    /// There is such a finding, and its advice holds these words.
    pub fn finds(&self, group: &str, check: &str, state: &str, advice: &str) {
        let found = self.findings().any(|finding| {
            let words = finding["advice"].as_str().unwrap_or_default();
            (&finding["group"], &finding["check"]) == (&group.into(), &check.into())
                && finding["state"] == state
                && words.contains(advice)
        });
        assert!(found, "no {state} {group}.{check} that says {advice}: {}", self.text);
    }
}

#[tokio::test]
async fn an_installation_that_is_well_is_found_well() {
    // Not one of those that tests share: theirs keeps nothing after a power cut, and the doctor says so.
    let own = Own::postgres("doctor").await;
    let desk = Desk::open_idle_on(&own.servers, &[]).await;
    let decided = decide(&desk, 2).await;
    let worker = desk.worker(None);
    came_once(&desk, &decided).await;
    wait_until("the worker answers the roll", async || !desk.queue().call_roll().await.unwrap().is_empty()).await;

    let report = Report::of(&desk, &[]).await;
    let unwell: Vec<&Value> = report.findings().filter(|finding| finding["state"] != "ok").collect();
    let rehearsed =
        |finding: &&Value| finding["group"] == "catalogue" && finding["what"].to_string().contains("made up");
    assert!(unwell.iter().all(rehearsed), "{unwell:#?}");
    assert_eq!(report.exit, Some(0));
    for check in ["push.wechat", "push.sms_aliyun", "courier.ems", "courier.sf", "sign-in", "identity"] {
        assert_eq!(report.states("gateways", check), ["ok"], "{check}: {}", report.text);
    }
    is_discreet(&desk, &report, &decided[0].phone);
    let (phones, parcels) = (desk.outside().phones().await.unwrap(), desk.outside().parcels().await.unwrap());
    let messages: usize = phones.values().map(Vec::len).sum();
    assert_eq!((messages, parcels.len()), (2, 2), "nobody was sent anything");

    desk.close().await;
    drop(worker);
    own.close().await;
}

/// Neither a secret of the settings nor anybody's data is said.
fn is_discreet(desk: &Desk, report: &Report, phone: &str) {
    let secret = |name: &str| {
        ["SECRET", "_KEY", "TOKEN", "WORD", "AUTHORIZATION", "_URL"].iter().any(|part| name.contains(part))
    };
    let secrets =
        desk.settings().iter().filter(|(name, value)| secret(name) && value.len() > 5).map(|(_, value)| value);
    for word in secrets.map(String::as_str).chain([phone]) {
        assert!(!report.text.contains(word), "{word} in {}", report.text);
    }
}

#[tokio::test]
async fn wrong_settings_and_silent_gateways_are_found_together() {
    let desk = Desk::open_idle(&[]).await;
    decide(&desk, 1).await;
    let other_keys = desk.folder.path_of("other-keys");
    desk.songda(&["keys", "init", &other_keys]).await;
    fs::set_permissions(format!("{other_keys}/key-ring"), fs::Permissions::from_mode(0o644)).unwrap();
    let no_folder = desk.folder.path_of("a-file");
    fs::write(&no_folder, "in the way").unwrap();

    let report = Report::of(
        &desk,
        &[
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
        ],
    )
    .await;
    assert_eq!(report.exit, Some(1));
    report.finds("settings", "settings", "fault", "songda settings");
    report.finds("keys", "ring", "fault", "copy");
    report.finds("keys", "rights", "warning", "chmod");
    report.finds("uploads", "place", "fault", "SONGDA_UPLOADS");
    report.finds("database", "connections", "fault", "max_connections");
    report.finds("gateways", "courier.ems", "fault", "SONGDA_EMS_URL");
    report.finds("gateways", "push.wechat", "fault", "SONGDA_WECHAT_");
    report.finds("gateways", "sign-in", "fault", "SONGDA_WECHAT_");
    report.finds("gateways", "push.sms_aliyun", "fault", "SONGDA_SMS_ALIYUN_");
    report.finds("gateways", "courier.sf", "fault", "SONGDA_SF_");
    report.finds("gateways", "identity", "fault", "SONGDA_IDENTITY_");
    report.finds("gateways", "codes", "warning", "SONGDA_CODE_CHANNEL");
    assert!(!report.text.contains("guessed"), "no value is repeated: {}", report.text);
    assert_eq!(report.states("redis", "eviction"), ["ok"], "the others look all the same");
    close(desk).await;
}

#[tokio::test]
async fn a_neglected_database_is_found_out() {
    let desk = Desk::open_idle(&[]).await;
    decide(&desk, 3).await;
    let name: String = sqlx::query_scalar("select current_database()::text").fetch_one(&desk.database).await.unwrap();
    for neglect in [
        format!("alter database {name} set synchronous_commit = off"),
        "delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)".to_owned(),
        "update catalogue_parts set content = '[]' where name = 'calendar'".to_owned(),
        "update jobs set state = 'dead', finished_at = now() where id = (select min(id::text)::uuid from jobs)"
            .to_owned(),
        "update jobs set due_at = now() - interval '20 minutes' where state = 'pending'".to_owned(),
    ] {
        sqlx::raw_sql(AssertSqlSafe(neglect)).execute(&desk.database).await.unwrap();
    }

    let report = Report::of(&desk, &[]).await;
    report.finds("database", "durability", "fault", "synchronous_commit");
    report.finds("database", "schema", "fault", "songda migrate");
    report.finds("catalogue", "this-year", "fault", "catalog/calendar.toml");
    report.finds("catalogue", "due-dates", "fault", "catalog/calendar.toml");
    report.finds("jobs", "age", "fault", "songda top");
    report.finds("jobs", "workers", "fault", "songda work");
    let dead = report.findings().find(|finding| finding["check"].as_str().unwrap().starts_with("dead."));
    assert!(dead.is_some_and(|dead| dead["advice"].to_string().contains("songda jobs replay")), "{}", report.text);
    assert_eq!(report.states("keys", "ring"), ["ok"], "{}", report.text);

    let said = desk.outcome(&["doctor"], &[]).await;
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("-> songda migrate"), "{said}");
    close(desk).await;
}

#[tokio::test]
async fn a_redis_that_drops_and_forgets_is_found_out() {
    let own = Own::redis("test-doctor").await;
    let desk = Desk::open_idle_on(&own.servers, &[]).await;
    let client = redis::Client::open(own.servers.redis()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    for (setting, value) in [("maxmemory", "1mb"), ("maxmemory-policy", "allkeys-lru"), ("appendonly", "no")] {
        let () = redis::cmd("CONFIG").arg("SET").arg(setting).arg(value).query_async(&mut connection).await.unwrap();
    }

    let report = Report::of(&desk, &[]).await;
    report.finds("redis", "eviction", "fault", "noeviction");
    report.finds("redis", "memory", "fault", "maxmemory");
    report.finds("redis", "persistence", "warning", "appendonly yes");
    close(desk).await;
    own.close().await;
}

#[tokio::test]
async fn servers_that_are_away_hide_nothing_else() {
    let desk = Desk::open_idle(&[]).await;
    let away =
        [("SONGDA_DATABASE_URL", "postgres://songda@127.0.0.1:1/songda"), ("SONGDA_REDIS_URL", "redis://127.0.0.1:1")];
    let report = Report::of(&desk, &away).await;
    report.finds("database", "server", "fault", "SONGDA_DATABASE_URL");
    report.finds("redis", "server", "fault", "SONGDA_REDIS_URL");
    report.finds("keys", "ring", "warning", "database");
    report.finds("catalogue", "published", "fault", "database");
    report.finds("jobs", "lanes", "fault", "database");
    assert_eq!(report.states("uploads", "place"), ["ok"]);
    assert_eq!(report.states("gateways", "courier.sf"), ["ok"]);
    close(desk).await;
}

async fn close(mut desk: Desk) {
    desk.leave_jobs();
    desk.close().await;
}
