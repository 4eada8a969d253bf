//! `songda doctor`: checks everything that Songda depends on, and prints findings with advice. Each file checks one
//! part. All checks run, even if some find faults, and each has a time-out. The checks send no messages or orders, and
//! the report contains no secrets and no personal data.

mod catalogue;
mod causes;
mod clocks;
mod database;
mod finding;
mod gateways;
mod installation;
mod jobs;
mod keys;
mod redis;
mod settings;
mod uploads;

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};

use finding::Finding;
use installation::Installation;

use super::umask;

#[derive(Args)]
pub struct Doctor {
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
}

/// The time-out of one check. By default, calls to gateways have a shorter one (4 seconds).
const TIME_OUT: Duration = Duration::from_secs(20);

/// Runs all checks. The exit code is a failure if there is any fault.
pub async fn run(command: &Doctor) -> ExitCode {
    umask::keep_others_out();
    let installation = Installation::of_process();
    let looks: [(&'static str, BoxFuture<'_, Vec<Finding>>); 8] = [
        (settings::GROUP, async { settings::look() }.boxed()),
        (database::GROUP, database::look(&installation).boxed()),
        (redis::GROUP, redis::look(&installation).boxed()),
        (keys::GROUP, keys::look(&installation).boxed()),
        (uploads::GROUP, uploads::look().boxed()),
        (catalogue::GROUP, catalogue::look(&installation).boxed()),
        (gateways::GROUP, gateways::look(&installation).boxed()),
        (jobs::GROUP, jobs::look(&installation).boxed()),
    ];
    let findings = join_all(looks.map(|(group, look)| in_time(group, look))).await.concat();
    let text = if command.json { finding::json(&findings) } else { finding::text(&findings) };
    println!("{text}");
    if findings.iter().any(Finding::is_fault) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

async fn in_time(group: &'static str, look: BoxFuture<'_, Vec<Finding>>) -> Vec<Finding> {
    tokio::time::timeout(TIME_OUT, look).await.unwrap_or_else(|_| {
        let what = format!("the check did not finish within {} seconds", TIME_OUT.as_secs());
        let advice = "see if the server that it checks is overloaded, or if a firewall drops its packets";
        vec![Finding::fault(group, "time", what, advice)]
    })
}
