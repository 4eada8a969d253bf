//! Processes that kill themselves: each sends itself SIGKILL at a step of processing a job.

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use songda::kill_point::Boundary;
use tokio_util::sync::CancellationToken;

use super::plan::Plan;
use super::town::Town;

const SIGKILL: i32 = 9;

/// Starts processes that kill themselves, until as many have died at each step as the plan wants, or until `enough` is
/// cancelled. One API and two workers run at a time.
pub async fn die(town: &Town, plan: &Plan, enough: &CancellationToken) {
    let mine = |own: fn(&Boundary) -> bool| Boundary::ALL.into_iter().filter(own).collect::<Vec<_>>();
    tokio::join!(
        series(town, plan, mine(|step| *step == Boundary::Committed), enough),
        series(
            town,
            plan,
            mine(|step| matches!(step, Boundary::Heard | Boundary::Claimed | Boundary::Prepared)),
            enough
        ),
        series(
            town,
            plan,
            mine(|step| matches!(step, Boundary::Called | Boundary::Settled | Boundary::Acknowledged)),
            enough
        ),
    );
}

async fn series(town: &Town, plan: &Plan, steps: Vec<Boundary>, enough: &CancellationToken) {
    while steps.iter().any(|step| town.tally.of(&kind(*step)) < plan.kills) {
        for step in &steps {
            match enough.run_until_cancelled(dies_at(town, *step)).await {
                Some(true) => town.tally.count(&kind(*step)),
                Some(false) => {}
                None => return,
            }
        }
    }
}

/// Starts a process that should die at a step. Returns true if it died there.
pub async fn dies_at(town: &Town, step: Boundary) -> bool {
    const TIME_OUT: Duration = Duration::from_secs(15);
    let blueprint = town.doomed(step == Boundary::Committed);
    let mut child = blueprint.start(&[("SONGDA_KILL_AT", step.name().to_owned())]);
    match tokio::time::timeout(TIME_OUT, child.wait()).await {
        Ok(status) => status.unwrap().signal() == Some(SIGKILL),
        Err(_) => {
            child.kill().await.unwrap();
            false
        }
    }
}

/// Returns the number of deaths at the step with the fewest.
pub fn fewest_deaths(town: &Town) -> u64 {
    Boundary::ALL.into_iter().map(|step| town.tally.of(&kind(step))).min().unwrap_or_default()
}

fn kind(step: Boundary) -> String {
    format!("SIGKILL at the step `{}`", step.name())
}
