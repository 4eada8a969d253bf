//! A module uses only modules of lower layers. These tests read the sources, and report the file and the line of each
//! forbidden use.

use std::fs;
use std::path::{Path, PathBuf};

use songda::registry::Registry;

/// Each module of the crate's root, and the other modules that it is allowed to use; `*` means all. Every module is
/// also allowed to use those beneath all layers: `env` (settings), `lifecycle` (tasks for which a stop waits),
/// `kill_point` (where tests kill a process), `metrics`, `single_flight` (one attempt on behalf of many callers) and
/// `trace`.
const MAY_USE: [(&str, &[&str]); 27] = [
    ("main", &["*"]),
    ("lib", &["*"]),
    ("app", &["*"]),
    ("config", &["*"]),
    ("registry", &["sandbox", "gateway", "catalog", "domain"]),
    ("telemetry", &[]),
    ("lifecycle", &[]),
    ("env", &["domain"]),
    ("kill_point", &[]),
    ("metrics", &[]),
    ("single_flight", &[]),
    ("trace", &[]),
    ("wrong_clock", &["domain"]),
    ("commands", &["*"]),
    ("domain", &[]),
    ("catalog", &["domain"]),
    ("store", &["catalog", "domain"]),
    ("queue", &["catalog", "domain"]),
    ("gateway", &["catalog", "domain"]),
    ("auth", &["domain"]),
    ("files", &["store", "domain"]),
    ("casework", &["auth", "files", "store", "queue", "gateway", "catalog", "domain"]),
    ("api", &["casework", "auth", "files", "queue", "gateway", "catalog", "domain"]),
    ("worker", &["casework", "files", "store", "queue", "gateway", "catalog", "domain"]),
    // Not part of the product: the simulated outside world, and the client of the demonstration.
    ("sandbox", &["gateway", "domain"]),
    ("demo", &["domain"]),
    // A gateway's counterpart in the sandbox. Its code is in the gateway's folder.
    ("twin", &["sandbox", "gateway", "domain"]),
];
/// The lines with which the unit tests of a file begin.
const TESTS: [&str; 2] = ["#[cfg(test)]\nmod tests {", "#[cfg(test)]\npub(crate) mod tests {"];
const BENEATH_ALL: [&str; 6] = ["env", "kill_point", "lifecycle", "metrics", "single_flight", "trace"];

#[test]
fn arrows_point_downward() {
    let wrong: Vec<String> = sources().iter().flat_map(|file| wrong_arrows(file)).collect();
    assert!(wrong.is_empty(), "arrows that point the wrong way:\n{}", wrong.join("\n"));
}

#[test]
fn only_casework_begins_transactions() {
    let allowed = |file: &Path| file.starts_with("src/casework") || file == Path::new("src/store/mod.rs");
    let found = places(&[".begin()"], allowed);
    assert!(found.is_empty(), "transactions begun outside casework:\n{}", found.join("\n"));
}

#[test]
fn no_layer_below_the_api_knows_http() {
    let allowed = |file: &Path| {
        ["src/api", "src/gateway", "src/sandbox", "src/demo"].iter().any(|folder| file.starts_with(folder))
            || ["src/main.rs", "src/app.rs"].iter().any(|known| file == Path::new(known))
    };
    let words = ["StatusCode", "HeaderMap", "HeaderName", "HeaderValue", "poem::", "http::header"];
    let found = places(&words, allowed);
    assert!(found.is_empty(), "HTTP below the API:\n{}", found.join("\n"));
}

#[test]
fn only_the_store_writes_sql() {
    let allowed = |file: &Path| file.starts_with("src/store");
    let found = places(&["sqlx::query", "query_as(", "query_scalar("], allowed);
    assert!(found.is_empty(), "SQL outside the store:\n{}", found.join("\n"));
}

#[test]
fn no_code_outside_a_gateways_folder_depends_on_its_name() {
    let registry = Registry::shipped();
    let channels = registry.channels().iter().map(|known| known.code);
    let codes: Vec<&str> = channels.chain(registry.carriers().iter().map(|known| known.code)).collect();
    let choices = |code: &&str| [format!("\"{code}\" =>"), format!("== \"{code}\""), format!("!= \"{code}\"")];
    let choices: Vec<String> = codes.iter().flat_map(choices).chain(["starts_with(\"sms_".to_owned()]).collect();
    let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
    // `demo` is not part of the product. It is allowed to name gateways, and so are the gateways' own folders.
    let found = places(&choices, |file| file.starts_with("src/gateway") || file.starts_with("src/demo"));
    assert!(found.is_empty(), "code that depends on a gateway's name:\n{}", found.join("\n"));
}

#[test]
fn every_ignored_test_says_why() {
    let found = places(&["#[ignore]"], |_| false);
    assert!(found.is_empty(), "tests ignored without a reason:\n{}", found.join("\n"));
}

fn wrong_arrows(file: &Path) -> Vec<String> {
    let from = layer_of(file);
    let may_use = MAY_USE.iter().find(|(layer, _)| *layer == from).map(|(_, may)| *may);
    let may_use =
        may_use.unwrap_or_else(|| panic!("{}: no layer is called {from}: add it to the table", file.display()));
    let text = code_of(file);
    let allowed = |to: &str| {
        to == from
            || may_use.contains(&"*")
            || may_use.contains(&to)
            || BENEATH_ALL.contains(&to)
            || (from == "twin" && to == "twin")
    };
    used_by(file, &text)
        .into_iter()
        .filter(|(_, to)| !allowed(to))
        .map(|(line, to)| format!("{}:{line}: {from} uses {to}", file.display()))
        .collect()
}

/// Returns the layer of a file: the root module that the file belongs to, or `twin` for a twin in a gateway's folder.
fn layer_of(file: &Path) -> String {
    let inside: Vec<_> = file.iter().skip(1).map(|part| part.to_string_lossy()).collect();
    if inside[0] == "gateway" && inside.iter().any(|part| part.trim_end_matches(".rs") == "sandbox") {
        return "twin".to_owned();
    }
    inside[0].trim_end_matches(".rs").to_owned()
}

/// Returns the root modules that a file names by `crate::` or by `super::`, each with the number of the line.
fn used_by(file: &Path, text: &str) -> Vec<(usize, String)> {
    let depth = depth_of(file);
    let mut found = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        found.extend(named(text, at, at + "crate::".len()));
    }
    let to_the_root = "super::".repeat(depth);
    for (at, _) in text.match_indices(&to_the_root) {
        let begins_here = !text[..at].ends_with("super::");
        let after = at + to_the_root.len();
        if depth > 0 && begins_here && !text[after..].starts_with("super::") {
            found.extend(named(text, at, after));
        }
    }
    found
}

/// Returns how many times a path in a file must repeat `super::` to reach the crate's root.
fn depth_of(file: &Path) -> usize {
    let parts = file.iter().count() - 1;
    let is_root_of_folder = file.file_name().is_some_and(|name| name == "mod.rs");
    if is_root_of_folder { parts - 1 } else { parts }
}

/// Returns the names that follow a prefix such as `crate::`: one name, or all names at the top level of a brace group,
/// as in `crate::{api::{x, y}, store}`. The prefix begins at byte `at` of the text and ends before byte `after`. Each
/// name comes with the number of the prefix's line.
fn named(text: &str, at: usize, after: usize) -> Vec<(usize, String)> {
    let line = text[..at].matches('\n').count() + 1;
    let rest = &text[after..];
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = rest.strip_prefix('{') else { return vec![(line, name(rest))] };
    let mut depth = 0;
    let mut start = true;
    let mut names = Vec::new();
    for (index, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            c if start && !c.is_whitespace() => {
                names.push((line, name(&group[index..])));
                start = false;
            }
            _ => {}
        }
    }
    names
}

/// Returns the source lines that contain any of these words, each with its file and number. Skips a file if `allowed`
/// is true for it.
fn places(words: &[&str], allowed: impl Fn(&Path) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for file in sources().into_iter().filter(|file| !allowed(file)) {
        for (index, line) in code_of(&file).lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{}: {}", file.display(), index + 1, line.trim()));
            }
        }
    }
    found
}

/// Returns the text of a file without comments and unit tests. The lines that remain keep their numbers.
pub(super) fn code_of(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let product = TESTS.iter().fold(text.as_str(), |code, tests| code.split(tests).next().unwrap_or_default());
    product.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Returns the paths (`src/…`) of all source files except those that contain only unit tests.
pub(super) fn sources() -> Vec<PathBuf> {
    let mut files = rust_files("src");
    files.retain(|file| !file.ends_with("tests.rs"));
    assert!(files.len() > 20, "the tests run in the crate's root");
    files
}

/// Returns the paths of all Rust files in a folder of the repository and its subfolders, sorted.
pub(super) fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

#[test]
fn the_arrows_of_a_file_are_read() {
    let text = "use crate::domain::ids;\nuse crate::{\n  api::{x, y}, store,\n};\nuse super::super::super::queue::Q;\n";
    let found = used_by(Path::new("src/gateway/shared/http.rs"), text);
    let names: Vec<(usize, &str)> = found.iter().map(|(line, name)| (*line, name.as_str())).collect();
    assert_eq!(names, [(1, "domain"), (2, "api"), (2, "store"), (5, "queue")]);
    assert_eq!(layer_of(Path::new("src/gateway/push/wechat/sandbox/mod.rs")), "twin");
    assert_eq!(depth_of(Path::new("src/store/mod.rs")), 1);
}
