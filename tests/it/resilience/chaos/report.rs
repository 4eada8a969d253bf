//! A table of everything that was done to the product and of its outcome: printed, and stored in `target/chaos`.

use std::fs;
use std::path::PathBuf;

use super::check::Verdict;
use super::drain::Drained;
use super::plan::Plan;
use super::probes::Recovery;
use super::town::Town;

pub struct Report<'a> {
    pub plan: &'a Plan,
    /// How long the trouble lasted, in seconds.
    pub seconds: u64,
    pub recoveries: &'a [Recovery],
    pub drained: &'a Drained,
    pub verdict: &'a Verdict,
}

impl Report<'_> {
    fn table(&self, town: &Town) -> String {
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
        row("pushes shown twice after an unknown outcome", verdict.ambiguous.len().to_string());
        row("all arrived after the trouble ended", format!("{} s", drained.took.as_secs()));
        for Recovery { what, times, target } in self.recoveries {
            let worst = times.iter().max().copied().unwrap_or_default();
            let times: Vec<String> = times.iter().map(|time| format!("{:.1}", time.as_secs_f64())).collect();
            let target = target.map(|target| format!(" (target {} s)", target.as_secs())).unwrap_or_default();
            row(&format!("time until {what}{target}"), format!("{:.1} s of {}", worst.as_secs_f64(), times.join(", ")));
        }
        lines.join("\n") + "\n"
    }

    /// Returns everything that is not as it should be.
    pub fn complaints(&self) -> Vec<String> {
        let Self { drained, verdict, .. } = self;
        let list = |kind: &'static str, all: &[String]| {
            all.iter().map(move |one| format!("{kind}: {one}")).collect::<Vec<_>>()
        };
        [
            list("lost", &verdict.lost),
            list("doubled", &verdict.doubled),
            list("wrong", &verdict.wrong),
            list("owed", &drained.owed),
        ]
        .concat()
    }

    /// Prints the table, and stores it beside the logs of the processes. Returns its path.
    pub fn print(&self, town: &Town) -> PathBuf {
        let table = self.table(town);
        let path = town.home.join("report.md");
        let ambiguous = self.verdict.ambiguous.iter().map(|one| format!("shown twice: {one}"));
        let list: Vec<String> = self.complaints().into_iter().chain(ambiguous).collect();
        println!("{table}");
        fs::write(&path, format!("{table}\n{}\n", list.join("\n"))).unwrap();
        path
    }
}
