//! The documents tell the truth: every setting is listed, every link leads somewhere, and one thing has one name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

#[test]
fn every_setting_is_documented() {
    let table = Command::new(env!("CARGO_BIN_EXE_songda")).arg("settings").env_clear().output().unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    let there = fs::read_to_string("docs/settings.md").unwrap_or_default();
    assert!(there.ends_with(&table), "docs/settings.md is not what the program reads. Mend it with: script/generate");
}

#[test]
fn every_link_leads_somewhere() {
    let link = Regex::new(r"\]\(([^)\s#]+)(?:#[^)]*)?\)").unwrap();
    let mut dead = Vec::new();
    for file in documents() {
        let text = fs::read_to_string(&file).unwrap();
        let folder = file.parent().unwrap_or(Path::new(""));
        for target in link.captures_iter(&text).map(|found| found[1].to_owned()) {
            let outside = target.contains("://") || target.starts_with("mailto:");
            if !outside && !folder.join(&target).exists() {
                dead.push(format!("{}: {target}", file.display()));
            }
        }
    }
    assert!(dead.is_empty(), "links that lead nowhere:\n{}", dead.join("\n"));
}

/// Words for things that have another name here (see the table of words in docs/architecture.md).
#[test]
fn one_thing_has_one_name() {
    const OTHER_NAMES: &str = "Applicationform|Errand|Shipment|Consignment|Citizen|Approver|Clerk|Courier[A-Z]?Company";
    let defined = Regex::new(&format!(r"\b(?:struct|enum|trait|mod|type)\s+\w*(?i:{OTHER_NAMES})\w*")).unwrap();
    let mut found = Vec::new();
    for file in files_under(Path::new("src"), "rs") {
        let text = fs::read_to_string(&file).unwrap();
        found.extend(defined.find_iter(&text).map(|word| format!("{}: {}", file.display(), word.as_str())));
    }
    assert!(found.is_empty(), "other words for things that have a name:\n{}", found.join("\n"));
}

/// The documents of the project's root and of docs/.
fn documents() -> Vec<PathBuf> {
    let mut files = files_under(Path::new("docs"), "md");
    files.extend(files_in(Path::new("."), "md"));
    files
}

fn files_under(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files = files_in(folder, ending);
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_under(&path, ending));
        }
    }
    files.sort();
    files
}

fn files_in(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|found| found == ending)).collect()
}
