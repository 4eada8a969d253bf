//! `script/bench --against=<commit>`: is this tree slower than another commit?
//!
//! Both programs are measured by this bench: the same load, gateways and bare server. Each has a separate database,
//! catalogue and set of keys, which it makes itself. In each round both are started, and take turns of about a second,
//! so that other load on the host disturbs both alike. A round's ratio is the median of the ratios of neighbouring
//! turns. `verdict.rs` judges the ratios of all rounds.

mod comparison;
pub mod stage;
mod table;
mod turns;

use comparison::Row;
use serde_json::json;
use turns::{Side, Sides, Turns, alternate};

use crate::measure::decide::Decisions;
use crate::measure::delivery::Delivery;
use crate::measure::drain::Drain;
use crate::measure::footprint::Footprint;
use crate::measure::limits::Limits;
use crate::measure::reads::Reads;
use crate::measure::submit::Submissions;
use crate::options::Options;
use crate::program::Program;
use crate::verdict::LIMIT;
use crate::{Bench, Measured, databases, results};

/// The measurements that can be compared, in the order in which they are made.
pub const NAMES: [&str; 7] = ["limits", "footprint", "reads", "submit", "decide", "drain", "delivery"];

/// The smallest number of rounds that shows how noisy the machine is.
pub const LEAST_ROUNDS: usize = 3;

/// The names of the two databases.
const BASE: &str = "songda_base";
const NEW: &str = "songda_new";

/// Compares the program of this tree (`new`) with that of another commit (the base). Fails if the new program is slower
/// in a line of the table.
pub async fn run(new: Program, options: &Options) -> Measured<()> {
    let base = Program::named_by("SONGDA_BENCH_BASE")?.ok_or("no program to compare with: run script/bench")?;
    let commit = base.name();
    let sides = Sides {
        base: Side::Base.named(install(base, BASE, options).await)?,
        new: Side::New.named(install(new, NEW, options).await)?,
    };
    let mut rows: Vec<Row> = Vec::new();
    let measured = rounds(&sides, &mut rows, options).await;
    drop(sides);
    databases::remove(BASE).await?;
    databases::remove(NEW).await?;
    report(&rows, &commit, options)?;
    measured?;
    let slower = table::slower(&rows);
    if slower.is_empty() { Ok(()) } else { Err(format!("slower: {}", slower.join("; ")).into()) }
}

/// Makes all chosen measurements in each round. Stops at the first failure, because a failure leaves jobs and messages
/// behind that would disturb the next measurement.
async fn rounds(sides: &Sides, rows: &mut Vec<Row>, options: &Options) -> Measured<()> {
    for round in 1..=options.rounds {
        for name in &options.names {
            eprintln!("bench: round {round} of {}: {name}", options.rounds);
            let turns = measure(name, sides, round).await;
            add(rows, turns.map_err(|failure| format!("{name}, round {round}: {failure}"))?);
        }
    }
    Ok(())
}

/// Adds the turns of a round to the rows. There is one row for each line of the table.
fn add(rows: &mut Vec<Row>, turns: Turns) {
    for (line, pairs) in turns {
        let known = rows.iter().position(|row| row.line.what == line.what);
        let at = known.unwrap_or_else(|| {
            rows.push(Row::new(line));
            rows.len() - 1
        });
        rows[at].add(&pairs);
    }
}

async fn install(program: Program, name: &str, options: &Options) -> Measured<Bench> {
    let database_url = databases::create(name).await?;
    Bench::open(program, name, &database_url, options).await
}

/// Makes one round of one measurement. Returns the turns of both programs for each line of the table.
async fn measure(name: &str, sides: &Sides, round: usize) -> Measured<Turns> {
    match name {
        "limits" => alternate::<Limits>(sides, round).await,
        "footprint" => alternate::<Footprint>(sides, round).await,
        "reads" => alternate::<Reads>(sides, round).await,
        "submit" => alternate::<Submissions>(sides, round).await,
        "decide" => alternate::<Decisions>(sides, round).await,
        "drain" => alternate::<Drain>(sides, round).await,
        "delivery" => alternate::<Delivery>(sides, round).await,
        _ => Err(format!("unknown measurement {name}").into()),
    }
}

/// Prints the table, and writes it to `bench/against.json` and `bench/against.md`.
fn report(rows: &[Row], commit: &str, options: &Options) -> Measured<()> {
    let table = table::markdown(rows);
    let notes = table::notes(rows);
    println!("{table}\n{notes}");
    let machine = results::machine();
    let run = options.length();
    let rounds = options.rounds;
    let page = format!("Base: commit {commit}. New: {machine}. Rounds: {rounds} of {run}.\n\n{table}\n{notes}");
    let lines = table::json(rows);
    let results = json!({"base": commit, "new": machine, "run": run, "rounds": rounds, "limit": LIMIT, "lines": lines});
    results::write("bench/against", &results, &page)
}
