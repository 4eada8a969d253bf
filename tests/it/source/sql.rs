//! SQL statements in the sources.

use std::fs;
use std::path::Path;

use regex::Regex;

use crate::support::files::files_under;

/// A prepared statement that returns all columns fails when a migration adds one.
#[test]
fn statements_name_their_columns() {
    let star = Regex::new(r"(?:select|returning)\s+(?:\w+\.)?\*(?:\s+from\s+(\w+))?").unwrap();
    let mut found = Vec::new();
    for file in [files_under(Path::new("src/store"), "rs"), files_under(Path::new("src/casework"), "rs")].concat() {
        let text = fs::read_to_string(&file).unwrap();
        let stars = star.captures_iter(&text).filter(|star| star.get(1).is_none_or(|table| table.as_str() != "unnest"));
        found.extend(stars.map(|star| format!("{}: {}", file.display(), &star[0])));
    }
    assert!(found.is_empty(), "name the columns:\n{}", found.join("\n"));
}
