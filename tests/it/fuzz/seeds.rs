//! Real messages, one a file, which the tests change.

use std::fs;
use std::path::Path;

/// Returns all messages of a folder of `tests/seeds`.
pub fn of(folder: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seeds").join(folder);
    let entries = fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} holds seeds", path.display());
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Returns all messages of a folder of `tests/seeds` as texts.
pub fn texts(folder: &str) -> Vec<String> {
    of(folder).into_iter().map(|seed| String::from_utf8(seed).unwrap()).collect()
}
