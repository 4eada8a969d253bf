//! The files under `deploy`: Prometheus and Grafana accept them, and every alert says what to do.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Stdio;

use promql_parser::label::{MatchOp, Matchers};
use promql_parser::parser::{self, Expr, VectorSelector};
use promql_parser::util::{ExprVisitor, walk_expr};
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::support::files::has_heading;

const ALERTS: &str = "deploy/prometheus/alerts.yaml";
const DASHBOARD: &str = "deploy/grafana/songda.json";
/// The page with the table of metrics.
const WATCH: &str = "docs/operations/watch.md";
/// The page to which alerts link.
const RECOVER: &str = "docs/operations/recover.md";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    rules: Vec<Alert>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Alert {
    alert: String,
    expr: String,
    #[serde(rename = "for", default)]
    lasts: String,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

fn alerts() -> Vec<Alert> {
    let rules: Rules = serde_saphyr::from_str(&fs::read_to_string(ALERTS).unwrap()).unwrap();
    let names: BTreeSet<&str> = rules.groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names.len(), rules.groups.len(), "groups have names of their own");
    rules.groups.into_iter().flat_map(|group| group.rules).collect()
}

/// A metric in an expression of a file, with the labels that select it.
pub struct Query {
    /// The file and the alert or panel.
    pub place: String,
    pub metric: String,
    /// Without the labels that Prometheus itself adds.
    pub labels: Vec<String>,
}

/// Returns all metrics in the alert rules and the dashboard.
pub fn queries() -> Vec<Query> {
    let rules = alerts().into_iter().map(|alert| (format!("{ALERTS}: {}", alert.alert), alert.expr));
    let panels = panels().into_iter().map(|(title, expr)| (format!("{DASHBOARD}: {title}"), expr));
    rules.chain(panels).flat_map(|(place, expr)| queried(&place, &expr)).collect()
}

/// Returns all expressions of the dashboard, with their panel's title.
fn panels() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&fs::read_to_string(DASHBOARD).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let expressions = |panel: &Value| {
        let title = panel["title"].as_str().unwrap().to_owned();
        let targets = panel["targets"].as_array().into_iter().flatten();
        let expr = move |target: &Value| (title.clone(), target["expr"].as_str().unwrap().to_owned());
        targets.map(expr).collect::<Vec<_>>()
    };
    panels.flat_map(expressions).collect()
}

/// Returns the metrics in an expression, which must be valid. Grafana's variable `$__rate_interval` is replaced by a
/// duration first.
fn queried(place: &str, expr: &str) -> Vec<Query> {
    let expr = parser::parse(&expr.replace("$__rate_interval", "5m"));
    let expr = expr.unwrap_or_else(|error| panic!("{place}: {error}"));
    let mut reader = Reader { place, queries: Vec::new() };
    let _ = walk_expr(&mut reader, &expr);
    reader.queries
}

struct Reader<'a> {
    place: &'a str,
    queries: Vec<Query>,
}

impl ExprVisitor for Reader<'_> {
    type Error = ();

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, ()> {
        match expr {
            Expr::VectorSelector(selector) => self.note(selector),
            Expr::MatrixSelector(matrix) => self.note(&matrix.vs),
            _ => {}
        }
        Ok(true)
    }
}

impl Reader<'_> {
    fn note(&mut self, VectorSelector { name, matchers: Matchers { matchers, .. }, .. }: &VectorSelector) {
        const OF_PROMETHEUS: [&str; 3] = ["job", "instance", "__name__"];
        let metric = name.clone().unwrap_or_else(|| panic!("{}: a metric without a name", self.place));
        if metric == "up" {
            return;
        }
        for one in matchers.iter().filter(|one| matches!(one.op, MatchOp::Equal)) {
            assert!(!one.value.is_empty(), "{}: {} selects an empty value", self.place, one.name);
        }
        let labels = matchers.iter().map(|one| one.name.clone());
        let labels = labels.filter(|label| !OF_PROMETHEUS.contains(&label.as_str())).collect();
        self.queries.push(Query { place: self.place.to_owned(), metric, labels });
    }
}

/// Returns the documented metrics: the first cell of each row of the table.
pub fn documented() -> BTreeSet<String> {
    let row = Regex::new(r"(?m)^\| `((?:songda|process)_[a-z_]+)` \|").unwrap();
    row.captures_iter(&fs::read_to_string(WATCH).unwrap()).map(|row| row[1].to_owned()).collect()
}

#[test]
fn every_alert_says_what_it_means_and_what_to_do() {
    let duration = Regex::new(r"^(\d+[smh])?$").unwrap();
    let alerts = alerts();
    for Alert { alert, expr, lasts, labels, annotations } in &alerts {
        assert!(!queried(alert, expr).is_empty() || expr.starts_with("up"), "{alert} queries no metric");
        assert!(duration.is_match(lasts), "{alert}: for {lasts}");
        assert!(labels.keys().eq(["severity"]), "{alert}: {labels:?}");
        assert!(["page", "ticket"].contains(&labels["severity"].as_str()), "{alert}: {labels:?}");
        assert!(annotations.keys().eq(["action", "meaning", "runbook", "summary"]), "{alert}: {annotations:?}");
        assert!(annotations.values().all(|text| !text.is_empty()), "{alert}");
        let (page, section) = annotations["runbook"].split_once('#').unwrap_or_default();
        assert_eq!(page, RECOVER, "{alert}");
        assert!(has_heading(Path::new(RECOVER), section), "{alert} refers to no section: {section}");
    }
    let names: BTreeSet<&String> = alerts.iter().map(|alert| &alert.alert).collect();
    assert!(names.len() == alerts.len() && names.len() > 10, "every alert has a name of its own");
}

#[test]
fn the_panels_of_the_dashboard_fit_and_have_descriptions() {
    let dashboard: Value = serde_json::from_str(&fs::read_to_string(DASHBOARD).unwrap()).unwrap();
    let mut ids = BTreeSet::new();
    let mut places = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_i64().unwrap()), "two panels with one id: {}", panel["id"]);
        let at = &panel["gridPos"];
        let x = at["x"].as_i64().unwrap();
        let y = at["y"].as_i64().unwrap();
        let w = at["w"].as_i64().unwrap();
        assert!(x + w <= 24 && places.insert((x, y)), "{} lies over another or over the edge", panel["title"]);
        if panel["type"] != "row" {
            assert!(!panel["description"].as_str().unwrap().is_empty(), "{}", panel["title"]);
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        }
    }
    assert!(queries().iter().any(|query| query.place.starts_with(DASHBOARD)));
}

/// Skipped if promtool is not installed.
#[tokio::test]
async fn promtool_accepts_the_rules_and_they_fire() {
    promtool(&["check", "rules", ALERTS], "").await;
    promtool(&["test", "rules", "deploy/prometheus/alerts_test.yaml"], "").await;
}

/// Asserts that promtool accepts metrics in the text format. Skipped if it is not installed.
pub async fn assert_promtool_accepts(text: &str) {
    promtool(&["check", "metrics"], text).await;
}

async fn promtool(arguments: &[&str], input: &str) {
    let mut command = Command::new("promtool");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut promtool) = command.spawn() else {
        return println!("skipped: promtool is not installed");
    };
    promtool.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    let output = promtool.wait_with_output().await.unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "promtool {}: {log}", arguments.join(" "));
}
