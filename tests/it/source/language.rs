//! The language of everything that we write: one name for one thing, and plain English. CONTRIBUTING.md has the rules.
//!
//! The tests skip the examples of bad language in CONTRIBUTING.md. These are between `<!-- bad language -->` and
//! `<!-- /bad language -->`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::support::files::files_under;

/// Synonyms of the words in the table of docs/architecture.md. No type or module in the sources may have one in its
/// name.
const SYNONYMS: &str = "Applicationform|Errand|Shipment|Consignment|Citizen|Approver|Clerk|Courier[A-Z]?Company";

/// Names that more than one public type has, for one of three reasons. First: one type is a thing of the domain, and
/// another one is its form in JSON or in a database row. Second: one type groups use cases, and another one groups the
/// API operations that call them. Third: the types are in modules that never use each other. Names can be removed from
/// this list, and must not be added.
const SHARED_NAMES: [&str; 36] = [
    "Addresses",
    "Agency",
    "Api",
    "Applicant",
    "Bilingual",
    "Catalog",
    "Changes",
    "City",
    "Claimed",
    "Context",
    "Devices",
    "Drafts",
    "Faq",
    "Faults",
    "Fee",
    "Finding",
    "Hall",
    "HttpAnswer",
    "Identity",
    "JobRow",
    "Jobs",
    "Keys",
    "Limit",
    "Material",
    "Officer",
    "Part",
    "Person",
    "Progress",
    "Province",
    "Regions",
    "RegisteredTwin",
    "Repeat",
    "Results",
    "Row",
    "Topic",
    "Uploads",
];

/// Phrases that make a sentence hard to read, and what to say instead.
const UNPLAIN: [(&str, &str); 31] = [
    (r"\b(?:to|for) who\b", "name the actor: to the caller, for a client"),
    (r"\bof whom\b", "begin another sentence"),
    (r"\b[Ww]hoever\b", "name the actor: a caller who, any client that"),
    (r"(?:///|//!|//|\.) (?:Who|Whom|Whose)\b[^?]*$", "name the actor as the subject"),
    (r"(?:///|//!|//) (?:What|How) (?:is|was|are|were|becomes?|became)\b", "name the thing"),
    (r"(?:///|//!|//) Where\b", "the address of, the path of; or if"),
    (r"(?:///|//!|//) Whether\b", "True if"),
    (r"(?:///|//!|//|[.,;:]|and|that|so|because|if|where|which) [Nn]obody\b", "name the actor: no caller, no process"),
    (r"\bnobody knows\b|\bnobody knew\b", "unknown"),
    (r", of nobody\b", "say what holds without one"),
    (r"(?:[^e]|[^r]e|[^e]re|[^h]ere|[^Tt]here) (?:is|are) none[.,;:]", "does not exist, is not a, cannot exist"),
    (r"\bthat there (?:are|is|can be)[.,;:]", "existing, all, possible"),
    (r"\b(?:tells?|told|telling) of\b", "reports, describes, mentions"),
    (
        r"\b(?:is|are|was|were) told (?:so|with|again|late)\b|\b(?:that|which) (?:is|are|was|were) told\b",
        "reports, shows, notifies",
    ),
    (r"\bhow it stands\b", "the state"),
    (r"\bstands(?: (?:[^fo]|o[^u])|[^ \w]|$)", "is, is in, is written"),
    (r"\blook(?:s|ed)? after\b", "owns, handles, supervises"),
    (r"\banew\b", "again"),
    (r"\bat the (?:most|least)\b", "at most, at least"),
    (r"\bso many\b", "this many; or name the number"),
    (r"\bfor the sake of\b", "for, because of"),
    (r"\bas it were\b", "leave it out"),
    (r"\bbe it\b", "if"),
    (r"\bso (?:it is|is it) (?:of|with)\b", "this also holds for"),
    (r"\bin the same breath\b", "at the same time, in the same transaction"),
    (r"\bput(?:s|ting)? (?:it|them|somebody|clients|callers) off\b|\bis put off\b", "answers 503, refuses for now"),
    (r"\bpatience\b|\bPATIENCE\b", "time-out, deadline, retry policy"),
    (r"\bbrakes?\b", "rate limiter"),
    (r"\bthe roll\b|\broll call\b|\b[a-z]+_roll\b", "heartbeat"),
    (r"\blessons?\b", "redirect, error class"),
    (r"\bremade\b", "made again, single-flight"),
];

#[test]
fn a_new_public_type_has_a_name_of_its_own() {
    let defined = Regex::new(r"(?m)^\s*pub(?:\([\w: ]+\))? (?:struct|enum|trait|type) (\w+)").unwrap();
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files_under(Path::new("src"), "rs") {
        let text = fs::read_to_string(&file).unwrap();
        for name in defined.captures_iter(&text) {
            places.entry(name[1].to_owned()).or_default().push(file.display().to_string());
        }
    }
    places.retain(|name, places| places.len() > 1 && !SHARED_NAMES.contains(&name.as_str()));
    assert!(places.is_empty(), "names that are taken: {places:#?}");
}

#[test]
fn every_thing_has_one_name() {
    let defined = Regex::new(&format!(r"\b(?:struct|enum|trait|mod|type)\s+\w*(?i:{SYNONYMS})\w*")).unwrap();
    let mut found = Vec::new();
    for file in files_under(Path::new("src"), "rs") {
        let text = fs::read_to_string(&file).unwrap();
        found.extend(defined.find_iter(&text).map(|word| format!("{}: {}", file.display(), word.as_str())));
    }
    assert!(found.is_empty(), "other words for things that have a name:\n{}", found.join("\n"));
}

#[test]
fn every_text_is_plain_english() {
    let phrases = UNPLAIN.map(|(phrase, instead)| (Regex::new(phrase).unwrap(), instead));
    let mut found = Vec::new();
    for file in our_texts() {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        for (number, line) in without_examples(&text) {
            for (phrase, instead) in &phrases {
                let places = phrase.find_iter(line).map(|place| place.as_str());
                found.extend(places.map(|words| format!("{}:{number}: “{words}”: say {instead}", file.display())));
            }
        }
    }
    assert!(found.is_empty(), "{} phrases to rewrite:\n{}", found.len(), found.join("\n"));
}

#[test]
fn phrases_are_found_in_text_and_not_in_examples() {
    let text = "at the most\n<!-- bad language -->\nat the most\n<!-- /bad language -->\nat most\n";
    let lines: Vec<usize> = without_examples(text).map(|(number, _)| number).collect();
    assert_eq!(lines, [1, 5]);
    let [phrase] = UNPLAIN.iter().filter(|(_, instead)| *instead == "at most, at least").collect::<Vec<_>>()[..] else {
        panic!("one phrase")
    };
    let phrase = Regex::new(phrase.0).unwrap();
    assert!(phrase.is_match("at the most") && !phrase.is_match("at most"));
}

/// Returns the lines of a text with their numbers, without the examples of bad language.
fn without_examples(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_example = false;
    text.lines().enumerate().filter_map(move |(at, line)| {
        if line.contains("<!-- bad language -->") {
            is_example = true;
        }
        let shown = (!is_example).then_some((at + 1, line));
        if line.contains("<!-- /bad language -->") {
            is_example = false;
        }
        shown
    })
}

/// Returns all committed text that we write: sources, tests, benchmarks, scripts, documents, and what is generated from
/// them.
fn our_texts() -> Vec<PathBuf> {
    const FOLDERS: [&str; 9] = [".ci", "benches", "deploy", "docs", "migrations", "openapi", "script", "src", "tests"];
    const FILES: [&str; 3] = ["Cargo.toml", "compose.yaml", "Dockerfile"];
    let mut texts: Vec<PathBuf> = FILES.map(PathBuf::from).to_vec();
    texts.extend(fs::read_dir(".").unwrap().map(|entry| entry.unwrap().path()).filter(|path| is_markdown(path)));
    let mut folders: Vec<PathBuf> = FOLDERS.map(PathBuf::from).to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true if is_others(&path) => {}
                true => folders.push(path),
                false => texts.push(path),
            }
        }
    }
    texts.retain(|path| !path.ends_with("source/language.rs") && !path.ends_with("package-lock.json"));
    texts.sort();
    texts
}

fn is_markdown(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "md")
}

/// True for a folder of text that others wrote: real messages, and installed packages.
fn is_others(folder: &Path) -> bool {
    folder.ends_with("tests/seeds") || folder.ends_with("node_modules")
}
