//! One table of all that was done to the product and what came of it: printed, and kept in `target/chaos`.

use std::fs;
use std::path::PathBuf;

use super::check::Verdict;
use super::drained::Drained;
use super::plan::Plan;
use super::probes::Recovery;
use super::town::Town;

/// What is told of a run.
pub struct Report<'a> {
    /// What was ordered.
    pub plan: &'a Plan,
    /// How long the trouble lasted, in seconds.
    pub seconds: u64,
    /// Times of recovery.
    pub recoveries: &'a [Recovery],
    /// What it took to keep all promises.
    pub drained: &'a Drained,
    /// What the ledgers say.
    pub verdict: &'a Verdict,
}

impl Report<'_> {
    /// The table.
    pub fn table(&self, town: &Town) -> String {
        let Self { plan, seconds, drained, verdict, .. } = self;
        let machine = std::env::var("SONGDA_CHAOS_MACHINE").unwrap_or_default();
        let mut lines = vec![format!("{machine} `--seed={}`, {} minutes of trouble.\n", plan.seed, seconds / 60)];
        lines.push("| what | count |\n|---|---:|".to_owned());
        let mut row = |what: &str, count: String| lines.push(format!("| {what} | {count} |"));
        for (kind, count) in town.tally.all() {
            row(&format!("fault: {kind}"), count.to_string());
        }
        row("**faults that struck**", format!("**{}**", town.tally.total()));
        for (what, count) in &verdict.counts {
            row(what, count.to_string());
        }
        for (cause, count) in &drained.replayed {
            row(&format!("dead letters replayed: {cause}"), count.to_string());
        }
        row("still owed", (drained.owed.len()).to_string());
        row("**lost**", format!("**{}**", verdict.lost.len()));
        row("**doubled**", format!("**{}**", verdict.doubled.len()));
        row("otherwise wrong", verdict.wrong.len().to_string());
        row("pushes shown twice after an outcome that nobody knows", verdict.ambiguous.len().to_string());
        row("all arrived after the trouble ended", format!("{} s", drained.took.as_secs()));
        for Recovery { what, times, target } in self.recoveries {
            let worst = times.iter().max().copied().unwrap_or_default();
            let times: Vec<String> = times.iter().map(|time| format!("{:.1}", time.as_secs_f64())).collect();
            let target = target.map(|target| format!(" (target {} s)", target.as_secs())).unwrap_or_default();
            row(&format!("time until {what}{target}"), format!("{:.1} s of {}", worst.as_secs_f64(), times.join(", ")));
        }
        lines.join("\n") + "\n"
    }

    /// What is not as it should be, in words.
    pub fn complaints(&self) -> Vec<String> {
        let Self { drained, verdict, .. } = self;
        let told = |kind: &'static str, all: &[String]| {
            all.iter().map(move |one| format!("{kind}: {one}")).collect::<Vec<_>>()
        };
        [
            told("lost", &verdict.lost),
            told("doubled", &verdict.doubled),
            told("wrong", &verdict.wrong),
            told("owed", &drained.owed),
        ]
        .concat()
    }

    /// Prints it, and keeps it beside the logs of the processes.
    pub fn tell(&self, town: &Town) -> PathBuf {
        let (table, path) = (self.table(town), town.home.join("report.md"));
        let told = self.verdict.ambiguous.iter().map(|one| format!("shown twice: {one}"));
        let list: Vec<String> = self.complaints().into_iter().chain(told).collect();
        println!("{table}");
        fs::write(&path, format!("{table}\n{}\n", list.join("\n"))).unwrap();
        path
    }
}
