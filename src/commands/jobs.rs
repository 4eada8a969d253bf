//! `songda jobs`: what waits, what died, and why; and bringing it back to life.

use clap::{Args, Subcommand};
use songda::casework::frame::bell::Bell;
use songda::casework::jobs::Operations;
use songda::domain::kernel::ids::JobId;
use songda::store::jobs::{JobFilter, JobRow};

use super::progress::Progress;
use super::{Failure, record};

/// What to do with jobs.
#[derive(Subcommand)]
pub enum Jobs {
    /// List jobs, the newest first. Those that are done are looked for among the newest 1000.
    List(Filter),
    /// Show one job with all attempts at it.
    Show {
        /// Its id.
        job: JobId,
    },
    /// Bring dead letters back to life: one by its id, or all of a filter.
    Replay {
        /// The id of one.
        #[arg(conflicts_with_all = ["lane", "kind", "cause"])]
        job: Option<JobId>,
        /// Those of this lane.
        #[arg(long)]
        lane: Option<String>,
        /// Those of this kind.
        #[arg(long)]
        kind: Option<String>,
        /// Those whose cause holds this text.
        #[arg(long)]
        cause: Option<String>,
        /// At the most so many.
        #[arg(long, default_value_t = 1_000)]
        limit: i64,
        /// Only say which ones it would be.
        #[arg(long)]
        dry_run: bool,
    },
}

/// Which jobs.
#[derive(Args)]
pub struct Filter {
    /// `pending`, `done` or `dead`.
    #[arg(long, default_value = "dead")]
    state: String,
    /// Of this lane: `push.wechat`, `courier.ems`, …
    #[arg(long)]
    lane: Option<String>,
    /// Of this kind: `push`, `order_parcel`, …
    #[arg(long)]
    kind: Option<String>,
    /// Whose cause holds this text.
    #[arg(long)]
    cause: Option<String>,
    /// How many at the most.
    #[arg(long, default_value_t = 50)]
    limit: i64,
}

/// Lists, shows or replays. Replayed jobs are offered by the sweeper of any running worker.
pub async fn run(command: Jobs) -> Result<(), Failure> {
    let store = record()?;
    // No relay hears this bell.
    let (bell, _) = Bell::new();
    let operations = Operations { store: &store, bell: &bell };
    match command {
        Jobs::List(Filter { state, lane, kind, cause, limit }) => {
            let filter = JobFilter { state: Some(state), lane, kind, cause };
            print(&operations.list(&filter, None, limit).await?);
        }
        Jobs::Show { job } => show(operations, job).await?,
        Jobs::Replay { job: Some(job), .. } => {
            if !operations.replay_one(job).await? {
                return Err(format!("{job} is not a dead letter").into());
            }
        }
        Jobs::Replay { job: None, lane, kind, cause, limit, dry_run } => {
            let filter = JobFilter { state: Some("dead".to_owned()), lane, kind, cause };
            if dry_run {
                print(&operations.list(&filter, None, limit).await?);
            } else {
                say(&format!("{} replayed", replay(operations, &filter, limit).await?));
            }
        }
    }
    Ok(())
}

/// A part at a time, so that no transaction is long, and a replay that is broken off has done what it said.
async fn replay(operations: Operations<'_>, filter: &JobFilter, limit: i64) -> Result<i64, Failure> {
    const PART: i64 = 500;
    let total = operations.count_dead(filter, limit).await?;
    let progress = Progress::start("replayed", total);
    let mut done = 0;
    // No further than what was dead at the beginning: what dies again meanwhile is for the next replay.
    while done < total {
        let part = i64::try_from(operations.replay(filter, PART.min(total - done)).await?)?;
        if part == 0 {
            break;
        }
        done += part;
        progress.reach(done);
    }
    progress.end();
    Ok(done)
}

async fn show(operations: Operations<'_>, id: JobId) -> Result<(), Failure> {
    let (job, attempts) = operations.show(id).await?.ok_or_else(|| format!("there is no {id}"))?;
    print(std::slice::from_ref(&job));
    for attempt in attempts {
        say(&format!(
            "  {:>3}  {}  {}  {}  {}",
            attempt.fence,
            attempt.started_at.format("%Y-%m-%d %H:%M:%S"),
            attempt.outcome.as_deref().unwrap_or("under way"),
            attempt.reference.as_deref().unwrap_or("-"),
            attempt.detail.as_deref().unwrap_or("")
        ));
    }
    Ok(())
}

fn print(jobs: &[JobRow]) {
    for job in jobs {
        say(&format!(
            "{}  {:<16} {:<15} {:<8} {:>3}  {}  {}",
            job.id(),
            job.lane,
            job.kind,
            job.state,
            job.attempts,
            job.due_at.format("%Y-%m-%d %H:%M:%S"),
            job.cause.as_deref().unwrap_or("")
        ));
    }
}

#[expect(clippy::print_stdout, reason = "a command speaks to the person who ran it")]
fn say(line: &str) {
    println!("{line}");
}
