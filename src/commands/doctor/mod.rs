//! `songda doctor`: looks at everything that Songda stands on, and says what is so and what to do. One file looks at one
//! thing. All of them look, whatever the others find, and none for longer than it may. Nobody outside is sent anything, and
//! nothing secret or personal is said.

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

/// How to say what was found.
#[derive(Args)]
pub struct Doctor {
    /// As JSON, for machines.
    #[arg(long)]
    json: bool,
}

/// How long one look may take. The gateways' own time-outs are shorter.
const PATIENCE: Duration = Duration::from_secs(20);

/// Looks at all of it. The program fails if there is any fault.
pub async fn run(command: &Doctor) -> ExitCode {
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
    say(&text);
    if findings.iter().any(Finding::is_fault) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

async fn in_time(group: &'static str, look: BoxFuture<'_, Vec<Finding>>) -> Vec<Finding> {
    tokio::time::timeout(PATIENCE, look).await.unwrap_or_else(|_| {
        let what = format!("no end of the look within {} seconds", PATIENCE.as_secs());
        vec![Finding::fault(group, "time", what, "see whether what it looks at is overloaded, or cut off half-way")]
    })
}

#[expect(clippy::print_stdout, reason = "a command speaks to the person who ran it")]
fn say(text: &str) {
    println!("{text}");
}
