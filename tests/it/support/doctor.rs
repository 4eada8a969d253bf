//! The report of `songda doctor`.

use serde_json::Value;

use super::desk::Desk;

pub struct Report {
    /// The report as printed.
    pub text: String,
    pub exit: Option<i32>,
    json: Value,
}

impl Report {
    /// Runs the doctor with some settings changed.
    pub async fn of(desk: &Desk, changed: &[(&str, &str)]) -> Self {
        let output = desk.outcome(&["doctor", "--json"], changed).await;
        let text = String::from_utf8(output.stdout).unwrap();
        let json = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)));
        let report = Self { exit: output.status.code(), json, text };
        assert_eq!(report.json["healthy"], report.exit == Some(0), "{}", report.text);
        report
    }

    pub fn findings(&self) -> impl Iterator<Item = &Value> {
        self.json["findings"].as_array().unwrap().iter()
    }

    /// Returns the states of all findings of a check. A check that runs on several servers has one finding for each
    /// server.
    pub fn states(&self, group: &str, check: &str) -> Vec<&str> {
        let of = self.findings().filter(|finding| finding["group"] == group && finding["check"] == check);
        of.map(|finding| finding["state"].as_str().unwrap()).collect()
    }

    /// Asserts that there is a finding of this state whose advice contains these words.
    pub fn assert_finds(&self, group: &str, check: &str, state: &str, advice: &str) {
        let found = self.findings().any(|finding| {
            let words = finding["advice"].as_str().unwrap_or_default();
            (&finding["group"], &finding["check"]) == (&group.into(), &check.into())
                && finding["state"] == state
                && words.contains(advice)
        });
        assert!(found, "no {state} {group}.{check} that says {advice}: {}", self.text);
    }
}
