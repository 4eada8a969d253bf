//! Schemathesis, which knows nothing of us but our documents, asks for all that they allow and much that they forbid, as each
//! of those who may, and holds every answer to what they promise.
//!
//! Every run of the tests does a little of it, always the same; `script/fuzz-api` does as much as it is told to.

use std::process::Output;

use futures_util::future::join_all;
use songda::api::documents::documents;
use tokio::process::Command;

use super::known::Known;
use crate::api::edge::HASTY;
use crate::support::desk::Desk;

/// The orders of `script/fuzz-api`, as it was called.
const ORDERS: &str = "SONGDA_FUZZ_API";
/// How `script/schemathesis` ends where the tool cannot be had.
const UNAVAILABLE: i32 = 69;

#[tokio::test(flavor = "multi_thread")]
async fn no_document_is_broken() {
    let mut desk = Desk::open_idle(&HASTY).await;
    desk.leave_jobs();
    let known = Known::on(&desk).await;
    let server = desk.server(None).await;
    let plan = Plan::ordered();
    let names = documents().unwrap().into_iter().map(|document| document.about.file);
    let names: Vec<_> = names.filter(|name| plan.only.as_deref().is_none_or(|only| only == *name)).collect();
    let base = server.api.base().as_str();
    let runs = join_all(names.iter().map(|name| run(&plan, &known, base, name))).await;
    let mut broken = Vec::new();
    for (name, Output { status, stdout, stderr }) in names.iter().zip(runs) {
        let words = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        if status.code() == Some(UNAVAILABLE) {
            eprintln!("skipped: the documents are not fuzzed. {words}");
            continue;
        }
        if plan.is_long {
            println!("{name}: {words}");
        }
        if !status.success() {
            broken.push(format!("{name}: {words}"));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    let log = server.log();
    assert!(!log.contains("panicked") && !log.contains("request failed"), "{log}");
    drop(server);
    desk.close().await;
}

/// How much is asked.
struct Plan {
    seed: u64,
    /// Of each operation.
    examples: u32,
    /// Of all documents, only this one.
    only: Option<String>,
    is_long: bool,
}

impl Plan {
    /// What was ordered; or a little.
    fn ordered() -> Self {
        let short = Self { seed: 20_261_123, examples: 5, only: None, is_long: false };
        match std::env::var(ORDERS) {
            Ok(orders) => orders.split_whitespace().fold(Self { examples: 200, is_long: true, ..short }, Self::with),
            Err(_) => short,
        }
    }

    fn with(self, order: &str) -> Self {
        let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("{order}? It wants a number"));
        match order.split_once('=') {
            Some(("--seed", seed)) => Self { seed: number(seed), ..self },
            Some(("--examples", examples)) => Self { examples: u32::try_from(number(examples)).unwrap(), ..self },
            Some(("--document", name)) => Self { only: Some(name.to_owned()), ..self },
            _ => panic!("{order}? Known are --seed=N --examples=N --document=NAME"),
        }
    }
}

async fn run(plan: &Plan, known: &Known, base: &str, name: &str) -> Output {
    let mut command = Command::new("script/schemathesis");
    command.args(["run", &format!("{base}openapi/{name}.json"), "--url", base]);
    command.args(["--seed", &plan.seed.to_string(), "--max-examples", &plan.examples.to_string()]);
    if !plan.is_long {
        command.args(["--phases", "examples,coverage"]);
    }
    command.env("SONGDA_KNOWN", serde_json::to_string(known.things()).unwrap());
    for scheme in ["person", "officer", "operator", "client"] {
        command.env(format!("SONGDA_{}", scheme.to_uppercase()), known.token(scheme));
    }
    command.output().await.unwrap()
}
