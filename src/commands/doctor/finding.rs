//! A finding of the doctor with its advice, and the two forms of the report: text and JSON.

use std::fmt;

use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    /// The checked part works, but could soon fail, or could work better.
    Warning,
    /// The checked part does not work, or committed work can be lost or late.
    Fault,
}

/// The result of one check.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The part that was checked: `database`, `redis`, …
    group: &'static str,
    /// The check within the group. Monitoring programs identify a finding by its group and its check, so these two
    /// names never change.
    check: String,
    state: State,
    what: String,
    /// What to do. `None` if the state is ok.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

impl Finding {
    pub fn ok(group: &'static str, check: impl Into<String>, what: impl Into<String>) -> Self {
        Self { group, check: check.into(), state: State::Ok, what: what.into(), advice: None }
    }

    pub fn warning(
        group: &'static str,
        check: impl Into<String>,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { state: State::Warning, advice: Some(advice.into()), ..Self::ok(group, check, what) }
    }

    pub fn fault(
        group: &'static str,
        check: impl Into<String>,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { state: State::Fault, ..Self::warning(group, check, what, advice) }
    }

    /// Puts the name of the server (`place`) before the text. This is for checks that are done on several servers.
    pub fn at(self, place: &impl fmt::Display) -> Self {
        Self { what: format!("{place}: {}", self.what), ..self }
    }

    pub fn is_fault(&self) -> bool {
        self.state == State::Fault
    }

    #[cfg(test)]
    pub fn state_word(&self) -> &'static str {
        match self.state {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Fault => "fault",
        }
    }

    fn lines(&self) -> String {
        let mark = match self.state {
            State::Ok => "ok     ",
            State::Warning => "warning",
            State::Fault => "FAULT  ",
        };
        let advice = self.advice.iter().map(|advice| format!("\n             -> {advice}"));
        format!("  {mark}  {}: {}{}", self.check, self.what, advice.collect::<String>())
    }
}

/// Formats the report as text: the findings by group, and the totals at the end.
pub fn text(findings: &[Finding]) -> String {
    let groups = findings.chunk_by(|one, next| one.group == next.group).map(|group| {
        let lines: Vec<String> = group.iter().map(Finding::lines).collect();
        format!("{}\n{}\n", group.first().map_or("", |first| first.group), lines.join("\n"))
    });
    let groups: Vec<String> = groups.collect();
    let count = |state| findings.iter().filter(|finding| finding.state == state).count();
    let [faults, warnings, ok] = [State::Fault, State::Warning, State::Ok].map(count);
    format!("{}\nfaults: {faults}, warnings: {warnings}, ok: {ok}", groups.join("\n"))
}

pub fn json(findings: &[Finding]) -> String {
    let healthy = !findings.iter().any(Finding::is_fault);
    let report = serde_json::json!({ "healthy": healthy, "findings": findings });
    format!("{report:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_json_report_the_same_findings() {
        let findings = [
            Finding::ok("redis", "server", "Redis 7.2.4 answers"),
            Finding::fault("redis", "eviction", "keys are dropped", "set maxmemory-policy noeviction"),
            Finding::warning("jobs", "dead", "3 dead letters", "songda jobs list"),
        ];
        assert_eq!(
            text(&findings),
            "redis\n  ok       server: Redis 7.2.4 answers\n  FAULT    eviction: keys are dropped\n             \
             -> set maxmemory-policy noeviction\n\njobs\n  warning  dead: 3 dead letters\n             \
             -> songda jobs list\n\nfaults: 1, warnings: 1, ok: 1"
        );
        let report: serde_json::Value = serde_json::from_str(&json(&findings)).unwrap();
        assert_eq!((&report["healthy"], &report["findings"][1]["state"]), (&false.into(), &"fault".into()));
        assert!(report["findings"][0].get("advice").is_none());
    }
}
