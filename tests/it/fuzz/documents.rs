//! Schemathesis reads the OpenAPI documents, sends requests that they allow and many that they forbid, as every kind of
//! caller, and checks every answer against the documents.
//!
//! The tests send a few requests, always the same. `script/fuzz-api` sends as many as its arguments say.

use std::process::Output;

use futures_util::future::join_all;
use songda::api::documents::documents;
use tokio::process::Command;

use super::known::Known;
use crate::support::desk::Desk;
use crate::support::settings::UNLIMITED;

/// The environment variable with the arguments of `script/fuzz-api`.
const ARGUMENTS: &str = "SONGDA_FUZZ_API";
/// The exit code of `script/schemathesis` if Schemathesis cannot be installed.
const UNAVAILABLE: i32 = 69;

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_to_schemathesis_is_documented() {
    let mut desk = Desk::builder().settings(&UNLIMITED).without_worker().open().await;
    desk.leave_jobs();
    let known = Known::on(&desk).await;
    let server = desk.server().await;
    let plan = Plan::from_arguments();
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

/// Which requests Schemathesis sends, and how many.
struct Plan {
    seed: u64,
    /// Requests for each operation.
    examples: u32,
    /// The only document to test; `None` for all.
    only: Option<String>,
    is_long: bool,
}

impl Plan {
    /// Returns the plan that the arguments of `script/fuzz-api` describe. Without them, returns the short plan of the
    /// tests.
    fn from_arguments() -> Self {
        let short = Self { seed: 20_261_123, examples: 5, only: None, is_long: false };
        match std::env::var(ARGUMENTS) {
            Ok(arguments) => {
                arguments.split_whitespace().fold(Self { examples: 200, is_long: true, ..short }, Self::with)
            }
            Err(_) => short,
        }
    }

    fn with(self, argument: &str) -> Self {
        let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("{argument}: expected a number"));
        match argument.split_once('=') {
            Some(("--seed", seed)) => Self { seed: number(seed), ..self },
            Some(("--examples", examples)) => Self { examples: u32::try_from(number(examples)).unwrap(), ..self },
            Some(("--document", name)) => Self { only: Some(name.to_owned()), ..self },
            _ => panic!("{argument}: known are --seed=N --examples=N --document=NAME"),
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
    command.env("SONGDA_KNOWN", serde_json::to_string(known.ids()).unwrap());
    for scheme in ["person", "officer", "operator", "client"] {
        command.env(format!("SONGDA_{}", scheme.to_uppercase()), known.token(scheme));
    }
    command.output().await.unwrap()
}
