//! `songda doctor`: looks at everything that Songda stands on, and says what is so and what to do. One file looks at one
//! thing. All of them look, whatever the others find, and none for longer than it may. Nobody outside is sent anything, and
//! nothing secret or personal is said.

mod catalogue;
mod clocks;
mod database;
mod finding;
mod gateways;
mod jobs;
mod keys;
mod redis;
mod settings;
mod uploads;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use songda::config::{DatabaseSettings, RedisSettings};
use songda::domain::kernel::clock::Clock;
use songda::env::Env;
use songda::queue::Queue;

use finding::Finding;

/// How to say what was found.
#[derive(Args)]
pub struct Doctor {
    /// As JSON, for machines.
    #[arg(long)]
    json: bool,
}

/// How long one look may take. The gateways' own time-outs are shorter.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is looked at. The settings of a part that has none, or wrong ones, are not there; [`settings`] says why.
struct Patient {
    database: Option<DatabaseSettings>,
    queue: Option<Queue>,
    clock: Clock,
}

impl Patient {
    fn of_process() -> Self {
        let env = &mut Env::of_process();
        let redis = RedisSettings::read(env);
        Self {
            database: DatabaseSettings::read(env),
            queue: redis.and_then(|redis| Queue::new(&redis.address, &redis.prefix).ok()),
            clock: Clock::system(),
        }
    }
}

/// Looks at all of it. The program fails if there is any fault.
pub async fn run(command: &Doctor) -> ExitCode {
    let patient = Patient::of_process();
    let looks: [(&'static str, BoxFuture<'_, Vec<Finding>>); 8] = [
        (settings::GROUP, async { settings::look() }.boxed()),
        (database::GROUP, database::look(&patient).boxed()),
        (redis::GROUP, redis::look(&patient).boxed()),
        (keys::GROUP, keys::look(&patient).boxed()),
        (uploads::GROUP, uploads::look().boxed()),
        (catalogue::GROUP, catalogue::look(&patient).boxed()),
        (gateways::GROUP, gateways::look(&patient).boxed()),
        (jobs::GROUP, jobs::look(&patient).boxed()),
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

/// An error with all its causes, in one line.
fn words(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_words = cause.to_string();
        // Some errors repeat their cause.
        if !words.contains(&cause_words) {
            words = format!("{words}: {cause_words}");
        }
        source = cause.source();
    }
    words.replace('\n', " ")
}

#[expect(clippy::print_stdout, reason = "a command speaks to the person who ran it")]
fn say(text: &str) {
    println!("{text}");
}
