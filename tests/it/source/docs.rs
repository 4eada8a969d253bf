//! The documents are true: every setting is listed, and every link has a target.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

use crate::support::files::{documents, files_under, has_heading};

#[test]
fn every_setting_is_documented() {
    let table = Command::new(env!("CARGO_BIN_EXE_songda")).arg("settings").env_clear().output().unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    let committed = fs::read_to_string("docs/settings.md").unwrap_or_default();
    assert!(committed.ends_with(&table), "docs/settings.md is not what the program reads. Run: script/generate");
}

#[test]
fn the_settings_for_the_sandbox_are_fresh() {
    let arguments = ["sandbox", "env", "--url", "http://sandbox:8090"];
    let output = Command::new(env!("CARGO_BIN_EXE_songda")).args(arguments).env_clear().output().unwrap();
    let settings = String::from_utf8(output.stdout).unwrap();
    let committed = fs::read_to_string("script/sandbox.env").unwrap_or_default();
    assert!(
        !settings.is_empty() && committed.ends_with(&settings),
        "script/sandbox.env is stale. Run: script/generate"
    );
}

/// A setting that no program reads misleads the operator who sets it.
#[test]
fn every_setting_in_a_deployment_file_exists() {
    let settings = fs::read_to_string("docs/settings.md").unwrap();
    // docs/settings.md does not list these: compose.yaml itself reads the two ports, and `songda staff` reads the
    // password.
    let others = ["SONGDA_PORT", "SONGDA_SANDBOX_PORT", "SONGDA_PASSWORD"];
    let name = Regex::new(r"\bSONGDA_[A-Z0-9_]+").unwrap();
    let mut files = files_under(Path::new("deploy"), "yaml");
    files.extend(["compose.yaml", "Dockerfile", "script/sandbox.env"].map(PathBuf::from));
    let mut unknown = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        // A secret may be in a file, which `<NAME>_FILE` names.
        let named = name.find_iter(&text).map(|found| found.as_str().trim_end_matches("_FILE"));
        let not_read = named.filter(|name| !others.contains(name) && !settings.contains(&format!("`{name}`")));
        unknown.extend(not_read.map(|name| format!("{}: {name}", file.display())));
    }
    assert!(unknown.is_empty(), "settings that no program reads:\n{}", unknown.join("\n"));
}

#[test]
fn decisions_are_numbered_without_a_gap() {
    let text = fs::read_to_string("docs/decisions.md").unwrap();
    let heading = Regex::new(r"(?m)^### (\d+)\. ").unwrap();
    let mut numbers: Vec<usize> = heading.captures_iter(&text).map(|found| found[1].parse().unwrap()).collect();
    numbers.sort_unstable();
    let next = numbers.len() + 1;
    assert_eq!(numbers, (1..next).collect::<Vec<_>>());
    assert!(text.contains(&format!("the next number is {next}.")), "the next number is {next}");
}

#[test]
fn every_link_in_a_document_has_a_target() {
    let link = Regex::new(r"\]\(([^)\s#]*)(?:#([^)]*))?\)").unwrap();
    let mut dead = Vec::new();
    for file in documents() {
        let text = fs::read_to_string(&file).unwrap();
        let folder = file.parent().unwrap_or(Path::new(""));
        for found in link.captures_iter(&text).filter(|found| !found[1].contains("://")) {
            let target = if found[1].is_empty() { file.clone() } else { folder.join(&found[1]) };
            let exists = target.exists() && found.get(2).is_none_or(|anchor| has_heading(&target, anchor.as_str()));
            if !exists {
                dead.push(format!("{}: {}", file.display(), &found[0]));
            }
        }
    }
    assert!(dead.is_empty(), "links without a target:\n{}", dead.join("\n"));
}
