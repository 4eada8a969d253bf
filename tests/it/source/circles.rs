//! No two files import each other in a circle, directly or through other files. If they did, no file of the circle
//! could be understood, moved or tested alone.
//!
//! An arrow is a path in a file's code that leads into another file: a `use`, or a path written out. Unit tests are
//! left out. A `pub use` is no arrow, because with it a folder's `mod.rs` only re-exports what the folder's files
//! define. A visibility (`pub(in crate::queue)`) is no arrow either.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use regex::Regex;

use super::layers::{code_of, sources};

/// The path of a module, for example `["store", "record"]`.
type Module = Vec<String>;
type Arrows = BTreeMap<Module, BTreeSet<Module>>;

#[test]
fn no_files_import_each_other_in_a_circle() {
    let circles = circles(&arrows());
    let told: Vec<String> = circles.iter().map(|circle| circle.join(" ↔ ")).collect();
    assert!(told.is_empty(), "{} circles between files:\n{}", told.len(), told.join("\n"));
}

fn arrows() -> Arrows {
    let files = sources();
    let modules: BTreeSet<Module> = files.iter().map(|file| module_of(file)).collect();
    let reader = Reader { modules: &modules, path: paths() };
    files.iter().map(|file| (module_of(file), reader.arrows_of(&module_of(file), &code_of(file)))).collect()
}

/// Returns the path of a file's module: `src/store/record/mod.rs` → `store`, `record`. The crate's root is the empty
/// path.
fn module_of(file: &Path) -> Module {
    let inside = file.strip_prefix("src").unwrap().with_extension("");
    let mut names: Module = inside.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|name| name == "mod") || names == ["lib"] {
        names.pop();
    }
    names
}

/// Matches a path of at least two names, with a brace group at its end if it has one.
fn paths() -> Regex {
    Regex::new(r"(?:^|[^\w:])((?:[A-Za-z_]\w*::)+)(\{[^;{}]*\}|\*|[A-Za-z_]\w*)").unwrap()
}

struct Reader<'a> {
    modules: &'a BTreeSet<Module>,
    path: Regex,
}

impl Reader<'_> {
    fn arrows_of(&self, from: &Module, code: &str) -> BTreeSet<Module> {
        let presented = Regex::new(r"\bpub(?:\([^)]*\))? use [^;]+;").unwrap();
        let code = presented.replace_all(code, "");
        let visibility = Regex::new(r"\(in [\w:]+\)").unwrap();
        let code = visibility.replace_all(&code, "");
        let mut found = BTreeSet::new();
        for written in self.path.captures_iter(&code) {
            let beginning: Vec<&str> = written[1].trim_end_matches("::").split("::").collect();
            for name in names_of(&written[2]) {
                let whole = [&beginning[..], &[name.as_str()]].concat();
                found.extend(self.absolute(from, &whole).and_then(|path| self.owner(&path)));
            }
        }
        found.remove(from);
        found
    }

    /// Returns the path from the crate's root; `None` for a path into another crate.
    fn absolute(&self, from: &Module, path: &[&str]) -> Option<Module> {
        let is_program = from.first().is_some_and(|name| name == "main" || name == "commands");
        let rest = |count: usize| path[count..].iter().map(|name| (*name).to_owned());
        match path[0] {
            "crate" if !is_program || from[0] == "commands" && path.get(1) == Some(&"commands") => {
                Some(rest(1).collect())
            }
            "songda" if is_program => Some(rest(1).collect()),
            "self" => Some(from.iter().cloned().chain(rest(1)).collect()),
            "super" => {
                let up = path.iter().take_while(|name| **name == "super").count();
                let base = from.len().checked_sub(up)?;
                Some(from[..base].iter().cloned().chain(rest(up)).collect())
            }
            child if self.modules.contains(&[&from[..], &[child.to_owned()]].concat()) => {
                Some(from.iter().cloned().chain(rest(0)).collect())
            }
            _ => None,
        }
    }

    /// Returns the file that a path leads into: the longest beginning of the path that is a module.
    fn owner(&self, path: &Module) -> Option<Module> {
        (1..=path.len()).rev().map(|count| path[..count].to_vec()).find(|beginning| self.modules.contains(beginning))
    }
}

/// Returns the names at the end of a path: `{self, Record}` → `self`, `Record`.
fn names_of(end: &str) -> Vec<String> {
    let inside = end.trim_matches(['{', '}']);
    inside.split(',').map(|name| name.split(" as ").next().unwrap_or_default().trim().to_owned()).collect()
}

/// Returns all sets of modules in which each module reaches every other one. A module is written as `store::record`.
fn circles(arrows: &Arrows) -> Vec<Vec<String>> {
    let reach: BTreeMap<&Module, BTreeSet<&Module>> = arrows.keys().map(|from| (from, reached(arrows, from))).collect();
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for (from, reached) in &reach {
        let circle = reached.iter().filter(|to| reach.get(**to).is_some_and(|back| back.contains(from)));
        let circle: Vec<String> = circle.map(|module| module.join("::")).collect();
        if circle.len() > 1 {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

/// Returns all modules that a module reaches by arrows, directly or through other modules.
fn reached<'a>(arrows: &'a Arrows, from: &Module) -> BTreeSet<&'a Module> {
    let mut open: Vec<&Module> = arrows.get(from).into_iter().flatten().collect();
    let mut seen = BTreeSet::new();
    while let Some(module) = open.pop() {
        if seen.insert(module) {
            open.extend(arrows.get(module).into_iter().flatten());
        }
    }
    seen
}

#[test]
fn the_reader_of_imports_follows_every_form_of_path() {
    let names = ["", "store", "store::record", "store::record::rows", "queue", "commands", "commands::keys"];
    let module = |path: &str| path.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect::<Module>();
    let modules: BTreeSet<Module> = names.iter().map(|path| module(path)).collect();
    let reader = Reader { modules: &modules, path: paths() };
    let found = |from: &str, code: &str| -> Vec<String> {
        reader.arrows_of(&module(from), code).iter().map(|path| path.join("::")).collect()
    };
    assert_eq!(found("store::record", "use crate::queue::Queue;\nuse super::{Store, Tx};"), ["queue", "store"]);
    assert_eq!(found("store::record", "pub use rows::Row;"), [] as [String; 0], "a face is no arrow");
    assert_eq!(found("store::record", "rows::read(&text); String::new();"), ["store::record::rows"]);
    assert_eq!(found("store::record::rows", "fn f(r: super::Record) {}"), ["store::record"]);
    assert_eq!(found("commands::keys", "use songda::store::record::{self, Record};"), ["store::record"]);
}

#[test]
fn a_circle_over_three_files_is_found_once() {
    let module = |name: &str| vec![name.to_owned()];
    let arrow = |from: &str, to: &str| (module(from), BTreeSet::from([module(to)]));
    let arrows = Arrows::from([arrow("a", "b"), arrow("b", "c"), arrow("c", "a"), arrow("d", "a")]);
    assert_eq!(circles(&arrows), [["a", "b", "c"]]);
}
