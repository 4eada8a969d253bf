//! The documents tell the truth: every setting is listed, every link leads somewhere, and one thing has one name.

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;
use songda::config::Config;
use songda::env::{Described, Env};

const SETTINGS: &str = "docs/settings.md";

#[test]
fn every_setting_is_documented() {
    let mut env = Env::of::<&str, &str>([]);
    // Faults do not matter here, nor do values: reading tells what there is to be read.
    let _ = Config::read(&mut env);
    let _ = songda::sandbox::Settings::read(&mut env);
    let _ = songda::demo::Settings::read(&mut env);
    let wanted = settings_document(env.described());
    if std::env::var_os("SONGDA_WRITE_DOCS").is_some() {
        fs::write(SETTINGS, &wanted).unwrap();
    }
    let there = fs::read_to_string(SETTINGS).unwrap_or_default();
    assert!(there == wanted, "{SETTINGS} is not what the program reads. Mend it with: script/generate");
}

fn settings_document(settings: &[Described]) -> String {
    let mut lines: Vec<String> = settings
        .iter()
        .map(|setting| {
            let default = match setting.default.as_deref() {
                None => "**must be set**".to_owned(),
                Some("") => "not set".to_owned(),
                Some(default) => format!("`{default}`"),
            };
            format!("| `{}` | {default} | {} |\n", setting.name, setting.meaning)
        })
        .collect();
    lines.sort();
    lines.dedup();
    format!(
        "# Settings\n\nAll settings are environment variables. Durations carry their unit: `250ms`, `15s`, `10m`, \
         `2h`, `3d`. A secret may stand in a file that `<NAME>_FILE` names. Faults are reported all at once at the \
         start.\n\nWritten from what the program reads, by `script/generate`.\n\n\
         | name | default | meaning |\n|---|---|---|\n{}",
        lines.concat()
    )
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
