//! Reads the seeds: the real messages in `tests/seeds`, from which the tests make damaged ones. Each file contains one
//! message, except in `words`, where each line of a file is the value of a header or a parameter.

use std::fs;
use std::path::Path;

/// Returns the contents of all files in a folder of `tests/seeds`.
pub fn of(folder: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seeds").join(folder);
    let entries = fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} holds seeds", path.display());
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Returns the contents of all files in a folder of `tests/seeds`, as text.
pub fn texts(folder: &str) -> Vec<String> {
    of(folder).into_iter().map(|seed| String::from_utf8(seed).unwrap()).collect()
}
