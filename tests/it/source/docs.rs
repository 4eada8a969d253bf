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
fn the_settings_for_the_sandbox_are_fresh() {
    let arguments = ["sandbox", "env", "--url", "http://sandbox:8090"];
    let output = Command::new(env!("CARGO_BIN_EXE_songda")).args(arguments).env_clear().output().unwrap();
    let settings = String::from_utf8(output.stdout).unwrap();
    let committed = fs::read_to_string("script/sandbox.env").unwrap_or_default();
    assert!(!settings.is_empty() && committed.ends_with(&settings), "script/sandbox.env is stale: run script/generate");
}

/// Who sets something that nobody reads believes in something that is not so.
#[test]
fn every_setting_that_is_set_is_read() {
    let settings = fs::read_to_string("docs/settings.md").unwrap();
    // Read by compose.yaml itself, and by `songda staff`.
    let others = ["SONGDA_PORT", "SONGDA_SANDBOX_PORT", "SONGDA_PASSWORD"];
    let name = Regex::new(r"\bSONGDA_[A-Z0-9_]+").unwrap();
    let mut files = files_under(Path::new("deploy"), "yaml");
    files.extend(["compose.yaml", "Dockerfile", "script/sandbox.env"].map(PathBuf::from));
    let mut unknown = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let named = name.find_iter(&text).map(|found| found.as_str());
        let not_read = named.filter(|name| !others.contains(name) && !settings.contains(&format!("`{name}`")));
        unknown.extend(not_read.map(|name| format!("{}: {name}", file.display())));
    }
    assert!(unknown.is_empty(), "settings that nobody reads:\n{}", unknown.join("\n"));
}

#[test]
fn every_link_leads_somewhere() {
    let link = Regex::new(r"\]\(([^)\s#]*)(?:#([^)]*))?\)").unwrap();
    let mut dead = Vec::new();
    for file in documents() {
        let text = fs::read_to_string(&file).unwrap();
        let folder = file.parent().unwrap_or(Path::new(""));
        for found in link.captures_iter(&text).filter(|found| !found[1].contains("://")) {
            let target = if found[1].is_empty() { file.clone() } else { folder.join(&found[1]) };
            let leads = target.exists() && found.get(2).is_none_or(|place| has_heading(&target, place.as_str()));
            if !leads {
                dead.push(format!("{}: {}", file.display(), &found[0]));
            }
        }
    }
    assert!(dead.is_empty(), "links that lead nowhere:\n{}", dead.join("\n"));
}

/// Whether a document has a heading that is linked to by these words.
pub fn has_heading(document: &Path, words: &str) -> bool {
    let text = fs::read_to_string(document).unwrap();
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let linked = |heading: &str| {
        let kept = heading.to_lowercase().replace(' ', "-");
        kept.chars().filter(|letter| letter.is_alphanumeric() || *letter == '-').collect::<String>()
    };
    headings.map(linked).any(|heading| heading == words)
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

/// The documents of the project's root, of docs/ and of the catalogue.
fn documents() -> Vec<PathBuf> {
    let mut files = files_under(Path::new("docs"), "md");
    files.extend(files_in(Path::new("catalog"), "md"));
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
