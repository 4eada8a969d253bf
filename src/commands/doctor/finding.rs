//! One finding: what is so, and what to do about it; and how all of them are said.

use std::fmt;

use serde::Serialize;

/// How well it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    /// It works, and may not for long, or not as well as it could.
    Warning,
    /// Something does not work, or promises may be broken.
    Fault,
}

/// What one look found.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What was looked at.
    group: &'static str,
    /// Which side of it. With the group it names the finding, for machines; it never changes.
    check: String,
    state: State,
    /// What is so.
    what: String,
    /// What to do; nothing where all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn ok(group: &'static str, check: impl Into<String>, what: impl Into<String>) -> Self {
        Self { group, check: check.into(), state: State::Ok, what: what.into(), advice: None }
    }

    /// It works, but.
    pub fn warning(
        group: &'static str,
        check: impl Into<String>,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { state: State::Warning, advice: Some(advice.into()), ..Self::ok(group, check, what) }
    }

    /// It does not work.
    pub fn fault(
        group: &'static str,
        check: impl Into<String>,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { state: State::Fault, ..Self::warning(group, check, what, advice) }
    }

    /// It was found at one of several places.
    pub fn at(self, place: &impl fmt::Display) -> Self {
        Self { what: format!("{place}: {}", self.what), ..self }
    }

    /// Whether it does not work.
    pub fn is_fault(&self) -> bool {
        self.state == State::Fault
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

/// For people: group by group, and the sum at the end.
pub fn text(findings: &[Finding]) -> String {
    let groups = findings.chunk_by(|one, next| one.group == next.group).map(|group| {
        let lines: Vec<String> = group.iter().map(Finding::lines).collect();
        format!("{}\n{}\n", group.first().map_or("", |first| first.group), lines.join("\n"))
    });
    let groups: Vec<String> = groups.collect();
    let count = |state| findings.iter().filter(|finding| finding.state == state).count();
    let (ok, warnings, faults) = (count(State::Ok), count(State::Warning), count(State::Fault));
    format!("{}\nfaults: {faults}, warnings: {warnings}, well: {ok}", groups.join("\n"))
}

/// For machines.
pub fn json(findings: &[Finding]) -> String {
    let healthy = !findings.iter().any(Finding::is_fault);
    let report = serde_json::json!({ "healthy": healthy, "findings": findings });
    format!("{report:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_machines_are_told_the_same() {
        let findings = [
            Finding::ok("redis", "server", "Redis 7.2.4 answers"),
            Finding::fault("redis", "eviction", "keys are dropped", "set maxmemory-policy noeviction"),
            Finding::warning("jobs", "dead", "3 dead letters", "songda jobs list"),
        ];
        assert_eq!(
            text(&findings),
            "redis\n  ok       server: Redis 7.2.4 answers\n  FAULT    eviction: keys are dropped\n             \
             -> set maxmemory-policy noeviction\n\njobs\n  warning  dead: 3 dead letters\n             \
             -> songda jobs list\n\nfaults: 1, warnings: 1, well: 1"
        );
        let report: serde_json::Value = serde_json::from_str(&json(&findings)).unwrap();
        assert_eq!((&report["healthy"], &report["findings"][1]["state"]), (&false.into(), &"fault".into()));
        assert!(report["findings"][0].get("advice").is_none());
    }
}
