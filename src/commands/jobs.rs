//! `songda jobs`: lists jobs, shows the attempts at a job, and replays dead letters.

use clap::{Args, Subcommand};
use songda::casework::frame::bell::Bell;
use songda::casework::jobs::Operations;
use songda::domain::kernel::ids::JobId;
use songda::store::jobs::{JobFilter, JobRow};

use super::failure::Failure;
use super::progress::Progress;
use super::record::record;

#[derive(Subcommand)]
pub enum Jobs {
    /// List jobs, the newest first. Of the finished jobs, only the newest 1000 are searched.
    List {
        /// `pending`, `done` or `dead`.
        #[arg(long, default_value = "dead")]
        state: String,
        #[command(flatten)]
        which: Which,
        /// List at most this many jobs.
        #[arg(long, default_value_t = 50)]
        limit: i64,
    },
    /// Show one job and all its attempts.
    Show {
        /// The id of the job.
        job: JobId,
    },
    /// Replay dead letters: one by its id, or all that match a filter.
    Replay {
        /// The id of a single dead letter.
        #[arg(conflicts_with_all = ["lane", "kind", "cause"])]
        job: Option<JobId>,
        #[command(flatten)]
        which: Which,
        /// Replay at most this many jobs.
        #[arg(long, default_value_t = 1_000)]
        limit: i64,
        /// Only list the jobs that would be replayed.
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Args)]
pub struct Which {
    /// Only jobs of this lane: `push.wechat`, `courier.ems`, …
    #[arg(long)]
    lane: Option<String>,
    /// Only jobs of this kind: `push`, `order_parcel`, …
    #[arg(long)]
    kind: Option<String>,
    /// Only jobs whose cause contains this text.
    #[arg(long)]
    cause: Option<String>,
}

impl Which {
    fn in_state(self, state: String) -> JobFilter {
        JobFilter { state: Some(state), lane: self.lane, kind: self.kind, cause: self.cause }
    }
}

/// Runs the command. It only changes the database; the sweeper of a running worker finds and offers the replayed jobs.
pub async fn run(command: Jobs) -> Result<(), Failure> {
    let store = record()?;
    // A bell announces jobs to the relay of the same process. This process has no relay, so the receiver of the rings
    // is dropped.
    let (bell, _) = Bell::new();
    let operations = Operations { store: &store, bell: &bell };
    match command {
        Jobs::List { state, which, limit } => {
            print(&operations.list(&which.in_state(state), None, limit).await?);
        }
        Jobs::Show { job } => show(operations, job).await?,
        Jobs::Replay { job: Some(job), .. } => {
            if !operations.replay_one(job).await? {
                return Err(format!("{job} is not a dead letter").into());
            }
        }
        Jobs::Replay { job: None, which, limit, dry_run } => {
            let filter = which.in_state("dead".to_owned());
            if dry_run {
                print(&operations.list(&filter, None, limit).await?);
            } else {
                println!("{} replayed", replay(operations, &filter, limit).await?);
            }
        }
    }
    Ok(())
}

/// Replays dead letters in batches, so that every transaction is short. If the command is interrupted, the batches that
/// it reported stay replayed. Returns the number of replayed jobs.
async fn replay(operations: Operations<'_>, filter: &JobFilter, limit: i64) -> Result<i64, Failure> {
    const PART: i64 = 500;
    let total = operations.count_dead(filter, limit).await?;
    let progress = Progress::start("replayed", total);
    let mut done = 0;
    // Replays at most as many jobs as were dead at the start. A job that dies again meanwhile is left to the next
    // replay.
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
    let (job, attempts) = operations.show(id).await?.ok_or_else(|| format!("there is no job {id}"))?;
    print(std::slice::from_ref(&job));
    for attempt in attempts {
        println!(
            "  {:>3}  {}  {}  {}  {}",
            attempt.fence,
            attempt.started_at.format("%Y-%m-%d %H:%M:%S"),
            attempt.outcome.as_deref().unwrap_or("under way"),
            attempt.reference.as_deref().unwrap_or("-"),
            attempt.detail.as_deref().unwrap_or("")
        );
    }
    Ok(())
}

fn print(jobs: &[JobRow]) {
    for job in jobs {
        println!(
            "{}  {:<16} {:<15} {:<8} {:>3}  {}  {}",
            job.id(),
            job.lane,
            job.kind,
            job.state,
            job.attempts,
            job.due_at.format("%Y-%m-%d %H:%M:%S"),
            job.cause.as_deref().unwrap_or("")
        );
    }
}
