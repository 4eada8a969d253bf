//! `script/bench --against=<commit>`: is this tree slower than another commit?
//!
//! Both programs are measured by this bench: the same load, gateways and bare server. Each has a database, a catalogue
//! and keys of its own, made by itself. In each round both are started, and take turns of about a second, so that what
//! the machine's neighbours do hits both alike. A round's ratio is the median of the ratios of neighbouring turns.
//! `verdict.rs` judges the ratios of all rounds.

mod comparison;
pub mod stage;
mod table;

use std::fmt;

use comparison::{Pair, Row};
use serde_json::json;
use stage::{Line, Stage, Turn};

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
use crate::{Bench, Failure, Measured, databases, results};

/// The measurements that can be compared, in their order.
pub const NAMES: [&str; 7] = ["limits", "footprint", "reads", "submit", "decide", "drain", "delivery"];

/// Fewer rounds do not tell how noisy the machine is.
pub const LEAST_ROUNDS: usize = 3;

/// One of the two programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Base,
    New,
}

impl fmt::Display for Side {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Base => "base",
            Self::New => "new",
        })
    }
}

/// Both programs, installed.
struct Sides {
    base: Bench,
    new: Bench,
}

/// Compares the program of this tree with that of `commit`. Fails if a line is slower.
pub async fn run(new: Program, commit: &str, options: &Options) -> Measured<()> {
    let base = Program::named_by("SONGDA_BENCH_BASE")?.ok_or("no program to compare with: run script/bench")?;
    let sides = Sides {
        base: install(base, "songda_base", options).await.map_err(|failure| on(Side::Base, &failure))?,
        new: install(new, "songda_new", options).await.map_err(|failure| on(Side::New, &failure))?,
    };
    let mut rows: Vec<Row> = Vec::new();
    let mut failures = Vec::new();
    for round in 1..=options.rounds {
        for name in &options.names {
            eprintln!("bench: round {round} of {}: {name}", options.rounds);
            match measure(name, &sides, round).await {
                Ok(lines) => add(&mut rows, lines),
                Err(failure) => failures.push(format!("{name}, round {round}: {failure}")),
            }
        }
    }
    drop(sides);
    databases::remove("songda_base").await?;
    databases::remove("songda_new").await?;
    report(&rows, commit, options)?;
    failures.extend(table::slower(&rows).iter().map(|line| format!("slower: {line}")));
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n     ").into()) }
}

/// Adds the turns of a round to the rows of their lines.
fn add(rows: &mut Vec<Row>, lines: Vec<(&'static Line, Vec<Pair>)>) {
    for (line, pairs) in lines {
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

/// One round of one measurement: the turns of both programs, for each line.
async fn measure(name: &str, sides: &Sides, round: usize) -> Measured<Vec<(&'static Line, Vec<Pair>)>> {
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

/// Starts both programs and lets them take turns. Which one begins changes from pair to pair and from round to round.
async fn alternate<S: Stage>(sides: &Sides, round: usize) -> Measured<Vec<(&'static Line, Vec<Pair>)>> {
    let base = S::start(&sides.base).await.map_err(|failure| on(Side::Base, &failure))?;
    let new = S::start(&sides.new).await.map_err(|failure| on(Side::New, &failure))?;
    let turn = async |side| {
        let turns = match side {
            Side::Base => base.turn(&sides.base).await,
            Side::New => new.turn(&sides.new).await,
        };
        turns.map_err(|failure| on(side, &failure))
    };
    for _ in 0..S::WARM_UPS {
        turn(Side::Base).await?;
        turn(Side::New).await?;
    }
    let mut lines: Vec<(&'static Line, Vec<Pair>)> = S::LINES.iter().map(|line| (line, Vec::new())).collect();
    for number in 0..S::TURNS {
        let (base, new): (Vec<Turn>, Vec<Turn>);
        if (round + number).is_multiple_of(2) {
            base = turn(Side::Base).await?;
            new = turn(Side::New).await?;
        } else {
            new = turn(Side::New).await?;
            base = turn(Side::Base).await?;
        }
        for (((_, pairs), base), new) in lines.iter_mut().zip(base).zip(new) {
            pairs.push(Pair { base, new });
        }
    }
    base.stop(&sides.base).await.map_err(|failure| on(Side::Base, &failure))?;
    new.stop(&sides.new).await.map_err(|failure| on(Side::New, &failure))?;
    Ok(lines)
}

fn on(side: Side, failure: &Failure) -> Failure {
    format!("{side}: {failure}").into()
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
